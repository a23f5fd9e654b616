"""Pictures that come with messages: read in a capped process, kept under a name nobody chose, shown to both sides."""

import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from furrow.channels.models import Photo
from furrow.conversations.models import Conversation, Turn
from furrow.core.context import unscoped
from furrow.core.errors import Conflict, Invalid, NotFound, TooLarge
from furrow.knowledge.parsing.apart import CleanPhoto, photo_clean
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.storage import file_delete, file_save, files_older_than_a_day

FOLDER = "photos"
MOST_BYTES = 4 * 1024 * 1024
MOST_A_MESSAGE = 6
# Chosen, uploaded, and never sent.
UNSENT_KEPT = timedelta(days=1)


def photo_read(data: bytes) -> CleanPhoto:
    """The picture without what its file tells beside it: many cameras write where it was taken. Raises `Invalid` for what
    is no photo. Takes seconds, so never inside a transaction.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge("This photo is too large.", code="photo_too_large", limit_bytes=MOST_BYTES)
    try:
        return photo_clean(data)
    except ParseFailure as failure:
        if failure.code in {"bomb", "out_of_memory", "timeout", "too_large"}:
            raise TooLarge("This photo is too large.", code="photo_too_large") from None
        raise Invalid("This file is no photo.", code="not_a_photo", field="photo") from None


def photo_keep(*, conversation: Conversation, clean: CleanPhoto) -> Photo:
    """A photo that is not sent yet."""
    _unsent_drop(conversation)
    photo_id, facts = uuid4(), clean.facts
    stored = file_save(io.BytesIO(clean.data), photo_id, folder=FOLDER)
    made: Photo = Photo.objects.create(
        id=photo_id,
        conversation=conversation,
        file_key=stored.key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        content_type=facts.content_type,
        width=facts.width,
        height=facts.height,
        dhash=facts.dhash,
        taken=facts.taken,
        software=facts.software,
    )
    return made


def _unsent_drop(conversation: Conversation) -> None:
    old = Photo.objects.filter(
        conversation=conversation, turn=None, created_at__lt=timezone.now() - UNSENT_KEPT
    )
    for key in old.values_list("file_key", flat=True):
        transaction.on_commit(lambda key=key: file_delete(key))  # type: ignore[misc]
    old.delete()


def photos_unsent(conversation: Conversation, wanted: Any) -> list[Photo]:
    """The photos a message names, in its order. Raises for those of others and those sent before."""
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        raise Invalid("photos is a list of ids.", field="photos")
    if len(wanted) > MOST_A_MESSAGE:
        raise Invalid("Too many photos.", code="photos_many", field="photos")
    rows = {str(row.id): row for row in Photo.objects.filter(conversation=conversation, turn=None)}
    if not set(wanted) <= set(rows):
        raise Conflict("A photo is gone or was sent before.", code="photo_gone")
    return [rows[each] for each in dict.fromkeys(wanted)]


def photos_attach(turn: Turn, photos: Sequence[Photo]) -> None:
    """Raises for one of another conversation, or sent by another message in the meantime."""
    rows = Photo.objects.filter(
        id__in=[photo.id for photo in photos], conversation_id=turn.conversation_id, turn=None
    )
    if rows.update(turn=turn) != len(photos):
        raise Conflict("A photo is gone or was sent before.", code="photo_gone")


def photos_of(conversation: Conversation) -> QuerySet[Any]:
    rows: QuerySet[Any] = Photo.objects.filter(conversation=conversation).exclude(turn=None)
    return rows.order_by("created_at", "id")


def photo_get(photo_id: UUID | str, *, conversations: QuerySet[Any] | None = None) -> Photo:
    try:
        wanted = UUID(str(photo_id))
    except ValueError:
        raise NotFound("This photo does not exist.") from None
    rows = Photo.objects.filter(id=wanted)
    if conversations is not None:
        rows = rows.filter(conversation__in=conversations)
    found: Photo | None = rows.first()
    if found is None:
        raise NotFound("This photo does not exist.")
    return found


def photos_purge() -> int:
    """Photos that were chosen and never sent, of every tenant, and files whose photo is gone; how many photos."""
    with unscoped("throw away photos that were never sent"):
        gone, _ = Photo.objects.filter(
            turn=None, created_at__lt=timezone.now() - UNSENT_KEPT
        ).delete()
        names = files_older_than_a_day(FOLDER)
        known = set(Photo.objects.filter(file_key__in=names).values_list("file_key", flat=True))
    for name, path in names.items():
        if name not in known:
            path.unlink(missing_ok=True)
    return gone


def photo_shown(photo: Photo) -> dict[str, Any]:
    return {"id": str(photo.id), "width": photo.width, "height": photo.height}
