"""What a correction does to its source, inside `tenant_tx`: called when either of the two goes live."""

from collections.abc import Iterable
from uuid import UUID

from furrow.knowledge import indexing
from furrow.knowledge.models import Chunk, Document, PassageCorrection
from furrow.knowledge.text.folding import fold


def originals_switch_off(document_id: UUID, version_id: UUID) -> None:
    """A new version of a source, before it is indexed: what was corrected stays off where it is said again, and a
    correction whose passage is gone is marked for its owner.
    """
    rows = list(PassageCorrection.objects.filter(document_id=document_id))
    if not rows:
        return
    chunks = list(Chunk.objects.filter(version_id=version_id).only("id", "text"))
    for row in rows:
        found = _saying(row.original, chunks)
        Chunk.objects.filter(id__in=found).update(is_enabled=False)
        if row.is_source_changed == bool(found):
            row.is_source_changed = not found
            row.save(update_fields=["is_source_changed"])


def replacement_live(document: Document) -> None:
    """The corrected words can be found from now on, so the wrong ones no longer need to be."""
    for row in PassageCorrection.objects.filter(replacement=document).select_related("document"):
        original_set_enabled(row, is_enabled=False)


def original_set_enabled(row: PassageCorrection, *, is_enabled: bool) -> None:
    """In the live version of the source."""
    source = row.document
    chunks = Chunk.objects.filter(
        version_id=source.live_version_id, is_enabled=not is_enabled
    ).defer("flags")
    found = set(_saying(row.original, chunks))
    changed = [chunk for chunk in chunks if chunk.id in found]
    Chunk.objects.filter(id__in=found).update(is_enabled=is_enabled)
    if source.deleted_at is not None or not changed:
        return
    if is_enabled:
        indexing.chunks_index(source.knowledge_base_id, changed)
    else:
        indexing.chunks_unindex(source.knowledge_base_id, [chunk.id for chunk in changed])


def _saying(original: str, chunks: Iterable[Chunk]) -> list[UUID]:
    """Word for word; width, case and white space aside."""
    wanted = _bare(original)
    return [chunk.id for chunk in chunks if _bare(chunk.text) == wanted]


def _bare(text: str) -> str:
    return "".join(fold(text).split())
