"""Small filters of the inbox."""

from datetime import datetime
from typing import Any

from django import template

from furrow.conversations.inbox import Clock, clock_of
from furrow.dashboard import inbox_words as words

register = template.Library()


@register.filter
def topic_name(topic: str) -> Any:
    return words.topic_name(topic)


@register.filter
def mood_name(mood: str) -> Any:
    return words.mood_name(mood)


@register.filter
def waiting_clock(since: datetime | None) -> Clock | None:
    return clock_of(since)
