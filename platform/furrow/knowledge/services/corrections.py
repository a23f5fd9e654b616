"""Writes on corrected passages, inside `tenant_tx`."""

import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from furrow.core.errors import Conflict, Invalid
from furrow.knowledge import corrections
from furrow.knowledge.models import Chunk, Document, PassageCorrection
from furrow.knowledge.services.documents import document_add_text, document_delete
from furrow.tenants.services import Actor, audit

TEXT_LENGTH = 8000
_PREFIX = "correction:"


@transaction.atomic
def correction_create(*, actor: Actor, chunk: Chunk, text: str) -> PassageCorrection:
    """Puts the owner's words in place of a passage: searched and quoted once they are read, and again after the
    source is uploaded anew. Correcting a correction changes its words.
    """
    text = text.replace("\x00", "").strip()
    if not text or len(text) > TEXT_LENGTH:
        raise Invalid(
            _("This must be a text of up to %(count)s characters.") % {"count": TEXT_LENGTH},
            field="text",
        )
    if text == chunk.text.strip():
        raise Conflict(_("The text is the same as before."), field="text")
    earlier = PassageCorrection.objects.filter(replacement_id=chunk.document_id).first()
    if earlier is not None:
        _write(actor, chunk.document, text, external_id=chunk.document.external_id)
        return earlier  # type: ignore[no-any-return]
    source = chunk.document
    replacement = _write(actor, source, text, external_id=f"{_PREFIX}{uuid.uuid4()}")
    row: PassageCorrection = PassageCorrection.objects.create(
        document=source, replacement=replacement, original=chunk.text, page=chunk.page
    )
    audit(
        actor,
        "passage.corrected",
        object_type="document",
        object_id=source.id,
        replacement=str(replacement.id),
    )
    return row


def _write(actor: Actor, document: Document, text: str, *, external_id: str) -> Document:
    """The replacement takes the dates of its source along: what has expired stays so."""
    is_new = document.external_id != external_id
    title = _("%(title)s (corrected)") % {"title": document.title[:280]}
    return document_add_text(
        actor=actor,
        knowledge_base=document.knowledge_base,
        title=title if is_new else document.title,
        text=text,
        external_id=external_id,
        metadata={"corrects": str(document.id)} if is_new else None,
        valid_from=document.valid_from,
        valid_to=document.valid_to,
    )


@transaction.atomic
def correction_remove(*, actor: Actor, correction: PassageCorrection) -> None:
    """The source speaks for itself again."""
    corrections.original_set_enabled(correction, is_enabled=True)
    document_delete(actor=actor, document=correction.replacement)
    correction.delete()
    audit(actor, "passage.restored", object_type="document", object_id=correction.document_id)


@transaction.atomic
def correction_keep(*, actor: Actor, correction: PassageCorrection) -> None:
    """The owner has looked at a source that changed: the corrected words stay."""
    correction.is_source_changed = False
    correction.save(update_fields=["is_source_changed"])
    audit(actor, "passage.kept", object_type="document", object_id=correction.document_id)
