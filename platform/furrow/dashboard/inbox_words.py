"""Words of the inbox for the codes its rows keep."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

TOPICS = {
    "complaint": _lazy("Complaint"),
    "claim": _lazy("Damage and claims"),
    "order": _lazy("Order"),
    "shipping": _lazy("Shipping"),
    "goods": _lazy("Goods and prices"),
    "other": _lazy("Anything else"),
}
MOODS = {"unhappy": _lazy("unhappy"), "angry": _lazy("angry")}
HANDOFF_REASONS = {
    "asked": _lazy("asked for a person"),
    "order": _lazy("wish about an order"),
    "taken": _lazy("a colleague stepped in"),
}
VARIABLES = {
    "business": _lazy("name of your business"),
    "me": _lazy("your name"),
    "opens": _lazy("when somebody is there next"),
}


def queue_names() -> dict[str, str]:
    return {
        "waiting": _("Waiting"),
        "unassigned": _("Unassigned"),
        "mine": _("Mine"),
        "all": _("All"),
    }


def topic_name(topic: str) -> Any:
    return TOPICS.get(topic, topic)


def mood_name(mood: str) -> Any:
    return MOODS.get(mood, mood)


def variable_words_add(words: dict[str, Any]) -> None:
    """A trade's words for its variables of ready replies, as lazy translations."""
    VARIABLES.update(words)
