"""One document: its text beside its passages, its versions, and what can be done with it."""

from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.core.errors import Invalid, NotFound
from furrow.dashboard import reader
from furrow.dashboard.doors import (
    actor_of,
    form_page,
    go_to,
    needs,
    page_url,
    refusals_in,
    say,
)
from furrow.dashboard.forms.knowledge import DocumentForm, VersionForm
from furrow.knowledge import selectors
from furrow.knowledge.models import Chunk, Document
from furrow.knowledge.services import corrections as correction_services
from furrow.knowledge.services import documents as services
from furrow.tenants.web import TenantRequest

PASSAGES_A_PAGE = 40


@needs(get="view")
def document(request: TenantRequest, document_id: UUID) -> TemplateResponse:
    """`?start=&end=` marks a citation, `?chunk=` lights up a passage; both open the right page of passages."""
    found = selectors.document_get(document_id)
    context = {
        "document": found,
        "base": found.knowledge_base,
        "status": selectors.document_status(found),
        "versions": selectors.versions_of(found),
        "corrections": selectors.corrections_of(found),
        "questions": selectors.known_questions_of(found),
        **_reading(request, found),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return TemplateResponse(request, "dashboard/_document_status.html", context)
    return TemplateResponse(request, "dashboard/document.html", context)


def _reading(request: TenantRequest, found: Document) -> dict[str, Any]:
    """Nothing before a version is live."""
    if found.live_version_id is None:
        return {}
    version = selectors.version_get(found.live_version_id)
    chunks = list(selectors.chunks_of(found))
    cited, lit = _cited(request), request.GET.get("chunk", "")
    asked = request.GET.get("page") or _page_with(chunks, cited, lit)
    page = Paginator(chunks, PASSAGES_A_PAGE).get_page(asked)
    shown = list(page.object_list)
    window = reader.window_of(
        version.text, shown, is_first=not page.has_previous(), is_last=not page.has_next()
    )
    cut = reader.segments(
        version.text, pages=version.pages, chunks=shown, window=window, cited=cited
    )
    return {"version": version, "page": page, "chunks": shown, "segments": cut, "lit": lit}


def _page_with(chunks: list[Chunk], cited: tuple[int, int] | None, lit: str) -> int:
    """The page of passages that holds the citation or the passage asked for; else the first."""
    for place, chunk in enumerate(chunks):
        if str(chunk.id) == lit or (cited is not None and chunk.end > cited[0]):
            return place // PASSAGES_A_PAGE + 1
    return 1


def _cited(request: TenantRequest) -> tuple[int, int] | None:
    start, end = request.GET.get("start", ""), request.GET.get("end", "")
    return (int(start), int(end)) if start.isdecimal() and end.isdecimal() else None


@needs(get="edit", post="edit")
def document_update(request: TenantRequest, document_id: UUID) -> HttpResponse:
    found = selectors.document_get(document_id)
    initial = {name: getattr(found, name) for name in DocumentForm.base_fields}
    form = DocumentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.document_update(actor=actor_of(request), document=found, **form.cleaned_data)
            say(request, _("Saved."))
            return go_to(request, "document", found.id)
    back = page_url(request, "document", found.id)
    return form_page(request, form, title=_("Title and dates"), submit=_("Save"), back=back)


@needs(get="edit", post="edit")
def document_replace(request: TenantRequest, document_id: UUID) -> HttpResponse:
    """A new version; the old one keeps answering until the new one is read."""
    found = selectors.document_get(document_id)
    form = VersionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            _replaced(request, found, form.cleaned_data["file"])
            say(request, _("The new version is being read. Until then the old one answers."))
            return go_to(request, "document", found.id)
    return form_page(
        request,
        form,
        title=_("Upload a new version"),
        text=_("The new file takes the place of the old one once it is read without errors."),
        submit=_("Upload"),
        back=page_url(request, "document", found.id),
    )


def _replaced(request: TenantRequest, found: Document, file: Any) -> None:
    """A file is matched to its document by external id, or by its name: so the old name is kept."""
    latest = selectors.version_latest(found)
    name = latest.file_name if latest else file.name
    suffix = PurePath(name).suffix.lower()
    if not found.external_id and PurePath(file.name).suffix.lower() != suffix:
        raise Invalid(
            _("The new file must be of the same kind as the old one (%(kind)s).")
            % {"kind": suffix},
            field="file",
        )
    services.document_upload(
        actor=actor_of(request),
        knowledge_base=found.knowledge_base,
        file=file,
        file_name=file.name if found.external_id else name,
        content_type=file.content_type or "",
        title=found.title,
        external_id=found.external_id,
        valid_from=found.valid_from,
        valid_to=found.valid_to,
    )


@needs(post="edit")
def document_refetch(request: TenantRequest, document_id: UUID) -> HttpResponse:
    """Fetches the page of a document that came from an address once more."""
    found = selectors.document_get(document_id)
    services.document_add_url(
        actor=actor_of(request),
        knowledge_base=found.knowledge_base,
        url=found.source_url,
        title=found.title,
        external_id=found.external_id,
        valid_from=found.valid_from,
        valid_to=found.valid_to,
    )
    say(request, _("The page is being fetched."))
    return go_to(request, "document", found.id)


@needs(post="edit")
def document_delete(request: TenantRequest, document_id: UUID) -> HttpResponse:
    found = selectors.document_get(document_id)
    services.document_delete(actor=actor_of(request), document=found)
    undo = page_url(request, "document_restore", found.id)
    say(request, _("“%(name)s” is deleted.") % {"name": found.title}, undo=undo)
    return go_to(request, "base", found.knowledge_base_id)


@needs(post="edit")
def document_restore(request: TenantRequest, document_id: UUID) -> HttpResponse:
    found = selectors.document_get_deleted(document_id)
    services.document_restore(actor=actor_of(request), document=found)
    say(request, _("“%(name)s” is back.") % {"name": found.title})
    return go_to(request, "base", found.knowledge_base_id)


@needs(post="edit")
def document_retry(request: TenantRequest, document_id: UUID) -> HttpResponse:
    found = selectors.document_get(document_id)
    services.document_retry(actor=actor_of(request), document=found)
    say(request, _("Trying again."))
    return go_to(request, "base", found.knowledge_base_id)


@needs(get="view")
def document_file(request: TenantRequest, document_id: UUID, number: int) -> FileResponse:
    """Always a download, never shown: an uploaded page must not run as ours."""
    found = selectors.document_get(document_id)
    version = selectors.versions_of(found).filter(number=number).first()
    if version is None:
        raise NotFound("This version has no file.")
    path = selectors.version_file(version)
    return FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=version.file_name or found.title,
        content_type="application/octet-stream",
    )


@needs(post="edit")
def chunk_update(request: TenantRequest, chunk_id: UUID) -> HttpResponse:
    """Switches a passage on or off."""
    chunk = selectors.chunk_get(chunk_id)
    is_enabled = request.POST.get("is_enabled") == "1"
    services.chunk_set_enabled(actor=actor_of(request), chunk=chunk, is_enabled=is_enabled)
    chunk.is_enabled = is_enabled
    if request.htmx:  # type: ignore[attr-defined]
        return TemplateResponse(request, "dashboard/_passage.html", {"chunk": chunk})
    return go_to(request, "document", chunk.document_id)


@needs(post="edit")
def correction_remove(request: TenantRequest, correction_id: UUID) -> HttpResponse:
    """The document speaks for itself again."""
    found = selectors.correction_get(correction_id)
    correction_services.correction_remove(actor=actor_of(request), correction=found)
    say(request, _("The correction is taken back; the document's own words count again."))
    return go_to(request, "document", found.document_id)


@needs(post="edit")
def correction_keep(request: TenantRequest, correction_id: UUID) -> HttpResponse:
    found = selectors.correction_get(correction_id)
    correction_services.correction_keep(actor=actor_of(request), correction=found)
    say(request, _("The corrected words stay."))
    return go_to(request, "document", found.document_id)
