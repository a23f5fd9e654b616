"""What a claim photo tells of itself: whether it was seen before, when it was taken, whether it was worked on."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.channels.models import Photo as ChatPhoto
from furrow.core.errors import Invalid, TooLarge
from furrow.knowledge.parsing.apart import photo_facts
from furrow.knowledge.parsing.errors import ParseFailure

MOST_BYTES = 12 * 1024 * 1024
# Of 64 bits; the same picture saved again or made smaller differs by a few.
SAME_PICTURE = 6
_EDITORS = (
    "photoshop",
    "lightroom",
    "gimp",
    "snapseed",
    "meitu",
    "美图",
    "picsart",
    "醒图",
    "canva",
)


@dataclass(frozen=True)
class Photo:
    content_type: str
    width: int
    height: int
    sha256: str
    dhash: str
    taken_at: datetime | None
    editor: str


def photo_read(data: bytes) -> Photo:
    """Raises `Invalid` for what is no picture. It is a stranger's file: a capped process of its own opens it."""
    if len(data) > MOST_BYTES:
        raise TooLarge(_("This photo is too large."), limit_bytes=MOST_BYTES)
    try:
        facts = photo_facts(data)
    except ParseFailure as failure:
        if failure.code in {"bomb", "out_of_memory", "timeout"}:
            raise TooLarge(_("This photo is too large."), limit_bytes=MOST_BYTES) from None
        raise Invalid(_("This file is no photo (JPEG, PNG or WebP)."), field="file") from None
    software = facts.software.lower()
    return Photo(
        content_type=facts.content_type,
        width=facts.width,
        height=facts.height,
        sha256=hashlib.sha256(data).hexdigest(),
        dhash=facts.dhash,
        taken_at=_taken_at(facts.taken),
        editor=next((name for name in _EDITORS if name in software), ""),
    )


def photo_of_chat(row: ChatPhoto) -> Photo:
    """A picture that was read when it came in; it is not opened again."""
    software = row.software.lower()
    return Photo(
        content_type=row.content_type,
        width=row.width,
        height=row.height,
        sha256=row.sha256,
        dhash=row.dhash,
        taken_at=_taken_at(row.taken),
        editor=next((name for name in _EDITORS if name in software), ""),
    )


def distance(left: str, right: str) -> int:
    """In how many bits two hashes differ."""
    return (int(left, 16) ^ int(right, 16)).bit_count()


def is_plain(dhash: str) -> bool:
    """A picture with hardly any change from place to place resembles every other such picture."""
    return not SAME_PICTURE < int(dhash, 16).bit_count() < 64 - SAME_PICTURE


def findings_of(
    photo: Photo, *, ordered_at: datetime | None, reported_at: datetime, seen: str
) -> list[str]:
    """Codes of what is odd: nothing is decided by them, a person looks. `seen` is `file`, `picture` or empty."""
    found = [f"same_{seen}"] if seen else []
    if photo.editor:
        found.append("edited")
    if photo.taken_at is not None:
        if ordered_at is not None and photo.taken_at < ordered_at:
            found.append("older_than_order")
        # Phones' clocks are a little off.
        if (photo.taken_at - reported_at).total_seconds() > 24 * 3600:
            found.append("from_the_future")
    return found


def _taken_at(text: str) -> datetime | None:
    """In the shop's own time zone, as phones write no zone."""
    try:
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None
    return timezone.make_aware(moment)
