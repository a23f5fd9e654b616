"""Names for what costs are told apart by: ids become the words an owner gave or knows."""

from typing import Any

from django.utils.translation import gettext as _

from furrow.assistants.models import Assistant
from furrow.conversations.models import Conversation
from furrow.dashboard import wording
from furrow.tenants.models import ApiKey

GROUPS = ("assistant", "model", "channel", "key", "rung", "kind")


def group_names() -> dict[str, str]:
    return {
        "assistant": _("Assistant"),
        "model": _("Model"),
        "channel": _("Channel"),
        "key": _("API key"),
        "rung": _("Kind of answer"),
        "kind": _("Kind of call"),
    }


def names_of(group: str, keys: list[str]) -> dict[str, str]:
    """A name for each key, in at most one query."""
    if group == "assistant":
        return _named(Assistant, keys, _("Not by an assistant"))
    if group == "key":
        return _named(ApiKey, keys, _("Without a key"))
    known = _words(group, keys)
    return {key: str(known.get(key, key)) for key in keys}


def _words(group: str, keys: list[str]) -> dict[str, Any]:
    if group == "channel":
        return {**dict(Conversation.Channel.choices), "": _("Documents and searches")}
    if group == "kind":
        return {
            "chat": _("Writing answers"),
            "embedding": _("Reading and searching documents"),
            "rerank": _("Sorting what was found"),
        }
    if group == "rung":
        others = _("Documents, searches and other calls")
        return {key: wording.rung_name(key) if key else others for key in keys}
    return {}


def _named(model: Any, keys: list[str], nothing: str) -> dict[str, str]:
    found = dict(
        model.objects.filter(id__in=[key for key in keys if key]).values_list("id", "name")
    )
    names = {str(key): name for key, name in found.items()}
    return {key: names.get(key, _("Deleted")) if key else nothing for key in keys}
