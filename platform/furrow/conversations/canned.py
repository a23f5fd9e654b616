"""Ready replies: texts that staff send often, with variables that are filled from the conversation."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.accounts.models import User
from furrow.assistants.language import short_language
from furrow.assistants.phrases import moment_words
from furrow.conversations.desk import shown_name
from furrow.conversations.models import CannedReply, Conversation
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.core.extensions import extensions
from furrow.tenants.hours import hours_read
from furrow.tenants.services import Actor, audit

TITLE_LENGTH = 60
TEXT_LENGTH = 2000
MOST = 200
# What the platform knows; trades add theirs.
VARIABLES = ("business", "me", "opens")
_VARIABLE = re.compile(r"\{([a-z_]{1,30})\}")


def canned_list() -> Any:
    """The most used first."""
    return CannedReply.objects.filter(deleted_at=None).order_by("-used_count", "title")


def canned_get(canned_id: UUID) -> CannedReply:
    row: CannedReply | None = CannedReply.objects.filter(id=canned_id).first()
    if row is None:
        raise NotFound(_("This ready reply does not exist."))
    return row


@transaction.atomic
def canned_save(
    *, actor: Actor, title: str, text_zh: str = "", text_en: str = "", canned_id: UUID | None = None
) -> CannedReply:
    title, text_zh, text_en = title.strip(), text_zh.strip(), text_en.strip()
    _check(title, text_zh, text_en)
    live = CannedReply.objects.filter(deleted_at=None)
    if live.filter(title=title).exclude(id=canned_id).exists():
        raise Conflict(_("There is a ready reply of this name."), field="title")
    if canned_id is None and live.count() >= MOST:
        raise Invalid(_("There are too many ready replies. Remove old ones first."))
    row = canned_get(canned_id) if canned_id else CannedReply()
    row.title, row.text_zh, row.text_en = title, text_zh, text_en
    row.save()
    audit(actor, "canned.saved", object_type="canned", object_id=row.id)
    return row


def _check(title: str, text_zh: str, text_en: str) -> None:
    if not title or len(title) > TITLE_LENGTH:
        raise Invalid(_("Give it a name of up to 60 characters."), field="title")
    if not (text_zh or text_en):
        raise Invalid(_("Write the text in at least one language."), field="text_zh")
    for field, text in (("text_zh", text_zh), ("text_en", text_en)):
        if len(text) > TEXT_LENGTH:
            raise Invalid(_("This text is too long."), field=field)
        unknown = sorted(set(_VARIABLE.findall(text)) - known_variables())
        if unknown:
            raise Invalid(
                _("This variable does not exist: %(name)s") % {"name": f"{{{unknown[0]}}}"},
                field=field,
            )


def known_variables() -> set[str]:
    return {*VARIABLES, *extensions.reply_variables}


@transaction.atomic
def canned_remove(*, actor: Actor, canned: CannedReply) -> None:
    canned.deleted_at = timezone.now()
    canned.save(update_fields=["deleted_at"])
    audit(actor, "canned.removed", object_type="canned", object_id=canned.id)


@transaction.atomic
def canned_restore(*, actor: Actor, canned: CannedReply) -> None:
    if CannedReply.objects.filter(deleted_at=None, title=canned.title).exists():
        raise Conflict(_("There is a ready reply of this name."))
    canned.deleted_at = None
    canned.save(update_fields=["deleted_at"])
    audit(actor, "canned.restored", object_type="canned", object_id=canned.id)


def canned_filled(canned: CannedReply, *, conversation: Conversation, user: User) -> str:
    """The text in the visitor's language. A variable nothing is known of stays as it is, for the member to see."""
    language = short_language(conversation.language or "zh")
    text = (canned.text_en if language == "en" else canned.text_zh) or (
        canned.text_zh or canned.text_en
    )
    values = _values(set(_VARIABLE.findall(text)), conversation, user, language)
    return _VARIABLE.sub(lambda found: values.get(found.group(1)) or found.group(0), text)


def canned_used(canned: CannedReply) -> None:
    CannedReply.objects.filter(id=canned.id).update(used_count=F("used_count") + 1)


def _values(
    names: set[str], conversation: Conversation, user: User, language: str
) -> dict[str, str]:
    """Only what the text asks for is looked up."""
    known: dict[str, Callable[[], str]] = {
        "business": lambda: conversation.tenant.name,
        "me": lambda: shown_name(user),
        "opens": lambda: _opening_words(language),
    }
    for name, read in extensions.reply_variables.items():
        known[name] = lambda read=read: read(conversation.id).get(language, "")  # type: ignore[misc]
    return {name: known[name]() for name in names & known.keys()}


def _opening_words(language: str) -> str:
    hours, now = hours_read(), timezone.now()
    opening = hours.next_opening(now) if hours.is_known else None
    return moment_words(opening, now=now, zone=hours.zone, language=language) if opening else ""
