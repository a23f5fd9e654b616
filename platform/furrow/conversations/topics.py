"""What the assistant may do by itself with each topic: answer, write a draft, or leave it to people."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from furrow.conversations.models import Conversation, TopicMode
from furrow.conversations.signals import TOPICS, signals_of
from furrow.core.errors import Invalid
from furrow.tenants.services import Actor, audit

SEND, DRAFT, OFF = TopicMode.Mode.SEND, TopicMode.Mode.DRAFT, TopicMode.Mode.OFF


def topic_modes() -> dict[str, str]:
    """The mode of every topic, in order."""
    kept = dict(TopicMode.objects.values_list("topic", "mode"))
    return {topic: kept.get(topic, SEND) for topic in TOPICS}


def mode_for(conversation: Conversation, text: str) -> str:
    """Owners who try the assistant see what it would say, so tests are always answered."""
    if conversation.is_test:
        return SEND
    mode: str | None = (
        TopicMode.objects.filter(topic=signals_of(text).topic)
        .values_list("mode", flat=True)
        .first()
    )
    return mode or SEND


@transaction.atomic
def topic_modes_set(*, actor: Actor, modes: Mapping[str, str]) -> None:
    for topic, mode in modes.items():
        if topic not in TOPICS or mode not in TopicMode.Mode.values:
            raise Invalid(_("This topic or mode does not exist."), field="modes")
        TopicMode.objects.update_or_create(topic=topic, defaults={"mode": mode})
    audit(actor, "topics.set", object_type="topics", **modes)
