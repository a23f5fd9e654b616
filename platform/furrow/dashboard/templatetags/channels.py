"""Words of channels in templates."""

from django import template

from furrow.dashboard import channel_words

register = template.Library()


@register.filter
def channel_error(code: str) -> str:
    return channel_words.channel_error(code)
