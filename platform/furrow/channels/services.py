"""Writes on widgets, inside `tenant_tx`. sessions.py has those of their visitors."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from furrow.assistants.models import Assistant
from furrow.channels.models import Widget
from furrow.channels.origins import origin_of
from furrow.core.errors import Invalid
from furrow.tenants.services import Actor, audit

MAX_ORIGINS = 20
LIMITS = {"messages_per_minute": 120, "messages_per_day": 10_000}
_LINE = r"[^\x00-\x1f\x7f]"
_THEME = {
    "title": re.compile(_LINE + r"{0,60}"),
    "greeting_zh": re.compile(_LINE + r"{0,300}"),
    "greeting_en": re.compile(_LINE + r"{0,300}"),
    "color": re.compile(r"#[0-9a-fA-F]{6}"),
    "position": re.compile(r"left|right"),
    "language": re.compile(r"auto|zh|en"),
    "mode": re.compile(r"bubble|inline"),
    "scheme": re.compile(r"auto|light|dark"),
    "sound": re.compile(r"on|off"),
    "notice_zh": re.compile(_LINE + r"{0,160}"),
    "notice_en": re.compile(_LINE + r"{0,160}"),
    "notice_after": re.compile(r"\d{1,3}"),
}


def widget_ensure(*, assistant: Assistant) -> Widget:
    """The assistant's widget; a new one is on but allowed on no site, so it works nowhere yet."""
    widget: Widget = Widget.objects.get_or_create(assistant=assistant)[0]
    return widget


@transaction.atomic
def widget_update(
    *,
    actor: Actor,
    widget: Widget,
    is_enabled: bool | None = None,
    allowed_origins: Iterable[str] | None = None,
    theme: Mapping[str, Any] | None = None,
    messages_per_minute: int | None = None,
    messages_per_day: int | None = None,
) -> Widget:
    """Changes what is given. Effective with the next call of any visitor: sessions of a site that was taken
    off, or of a widget that was switched off, end at once. `theme` replaces the whole look.
    """
    changes: dict[str, Any] = {}
    if is_enabled is not None:
        changes["is_enabled"] = is_enabled
    if allowed_origins is not None:
        changes["allowed_origins"] = _origins_checked(allowed_origins)
    if theme is not None:
        changes["theme"] = _theme_checked(theme)
    if messages_per_minute is not None:
        changes["messages_per_minute"] = _limit_checked("messages_per_minute", messages_per_minute)
    if messages_per_day is not None:
        changes["messages_per_day"] = _limit_checked("messages_per_day", messages_per_day)
    for field, value in changes.items():
        setattr(widget, field, value)
    widget.save(update_fields=[*changes, "updated_at"])
    audit(
        actor, "widget.updated", object_type="widget", object_id=widget.id, fields=sorted(changes)
    )
    return widget


@transaction.atomic
def widget_identity_set(*, actor: Actor, widget: Widget, identity: str) -> Widget:
    """Whether the site vouches for its customers, and whether it has to. Effective with the next session."""
    if identity not in Widget.Identity.values:
        raise Invalid(_("This choice does not exist."), field="identity")
    widget.identity = identity
    widget.save(update_fields=["identity", "updated_at"])
    audit(actor, "widget.identity_set", object_type="widget", object_id=widget.id, to=identity)
    return widget


def _origins_checked(texts: Iterable[str]) -> list[str]:
    origins = list(dict.fromkeys(origin_of(text) for text in texts))
    if len(origins) > MAX_ORIGINS:
        raise Invalid(
            _("A widget may stand on %(count)s sites.") % {"count": MAX_ORIGINS},
            field="allowed_origins",
        )
    return origins


def _theme_checked(theme: Mapping[str, Any]) -> dict[str, str]:
    for name, value in theme.items():
        fits = name in _THEME and isinstance(value, str) and _THEME[name].fullmatch(value)
        if not fits:
            raise Invalid(_("This look cannot be used."), field=name)
    return dict(theme)


def _limit_checked(name: str, value: int) -> int:
    if not 1 <= value <= LIMITS[name]:
        raise Invalid(
            _("A visitor may send between 1 and %(most)s messages.") % {"most": LIMITS[name]},
            field=name,
        )
    return value
