"""Knowledge bases and the list of documents inside one."""

from typing import Any, BinaryIO, cast
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from furrow.core.errors import AppError
from furrow.dashboard.doors import (
    actor_of,
    form_page,
    go_to,
    needs,
    page_url,
    paged,
    refusals_in,
    say,
    text_of,
    wants_json,
)
from furrow.dashboard.forms.knowledge import KnowledgeBaseForm, TextForm, UploadForm, UrlForm
from furrow.dashboard.selectors import bases_with_counts
from furrow.knowledge import selectors
from furrow.knowledge.models import Document, KnowledgeBase
from furrow.knowledge.services import bases as services
from furrow.knowledge.services import documents
from furrow.tenants.web import TenantRequest

ACTIVE = {
    Document.Status.QUEUED,
    Document.Status.PARSING,
    Document.Status.CLEANING,
    Document.Status.EMBEDDING,
}


@needs(get="view")
def bases(request: TenantRequest) -> TemplateResponse:
    rows = bases_with_counts(selectors.knowledge_bases_list())
    return TemplateResponse(request, "dashboard/bases.html", {"bases": rows})


@needs(post="edit")
def base_first(request: TenantRequest) -> HttpResponse:
    """One click from the start to dropping files: the first knowledge base, made when there is none."""
    found = selectors.knowledge_bases_list().first()
    if found is None:
        language = request.tenant.language
        name = _("Handbook")
        found = services.knowledge_base_create(
            actor=actor_of(request), name=name, language=language
        )
    return go_to(request, "base", found.id)


@needs(get="edit", post="edit")
def base_create(request: TenantRequest) -> HttpResponse:
    form = KnowledgeBaseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            made = services.knowledge_base_create(actor=actor_of(request), **form.cleaned_data)
            return go_to(request, "base", made.id)
    return form_page(
        request,
        form,
        title=_("New knowledge base"),
        text=_("A shelf for documents that belong together. Most businesses need only one."),
        submit=_("Create"),
        back=page_url(request, "bases"),
    )


@needs(get="view")
def base(request: TenantRequest, base_id: UUID) -> TemplateResponse:
    """The page, or only its list of documents for htmx."""
    found = selectors.knowledge_base_get(base_id)
    query, status = text_of(request, "q"), text_of(request, "status")
    page = paged(request, selectors.documents_list(found, query=query, status=status))
    statuses = selectors.document_statuses(page.object_list)
    context = {
        "base": found,
        "page": page,
        "statuses": statuses,
        "is_active": any(status.status in ACTIVE for status in statuses.values()),
        "query": query,
        "status": status,
        "status_choices": Document.Status.choices,
        "findings_open": selectors.findings_of(found, state="open").count(),
    }
    is_list = request.htmx  # type: ignore[attr-defined]
    template = "dashboard/_documents.html" if is_list else "dashboard/base_page.html"
    return TemplateResponse(request, template, context)


@needs(get="edit", post="edit")
def base_update(request: TenantRequest, base_id: UUID) -> HttpResponse:
    found = selectors.knowledge_base_get(base_id)
    initial = {name: getattr(found, name) for name in KnowledgeBaseForm.base_fields}
    form = KnowledgeBaseForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.knowledge_base_update(
                actor=actor_of(request), knowledge_base=found, **form.cleaned_data
            )
            say(request, _("Saved."))
            return go_to(request, "base", found.id)
    back = page_url(request, "base", found.id)
    return form_page(request, form, title=_("Settings of this shelf"), submit=_("Save"), back=back)


@needs(post="edit")
def base_delete(request: TenantRequest, base_id: UUID) -> HttpResponse:
    found = selectors.knowledge_base_get(base_id)
    services.knowledge_base_delete(actor=actor_of(request), knowledge_base=found)
    undo = page_url(request, "base_restore", found.id)
    say(request, _("“%(name)s” is deleted.") % {"name": found.name}, undo=undo)
    return go_to(request, "bases")


@needs(post="edit")
def base_restore(request: TenantRequest, base_id: UUID) -> HttpResponse:
    found = selectors.knowledge_base_get_deleted(base_id)
    services.knowledge_base_restore(actor=actor_of(request), knowledge_base=found)
    say(request, _("“%(name)s” is back.") % {"name": found.name})
    return go_to(request, "base", found.id)


@needs(post="edit")
def document_upload(request: TenantRequest, base_id: UUID) -> HttpResponse:
    """One or several files. Scripts send one a request and read JSON."""
    found = selectors.knowledge_base_get(base_id)
    form = UploadForm(request.POST, request.FILES)
    files: list[Any] = form.cleaned_data["files"] if form.is_valid() else []
    if wants_json(request):
        added = [_added(request, found, file) for file in files]
        status = 201 if added else 422
        return JsonResponse({"documents": [str(document.id) for document in added]}, status=status)
    count = sum(_added_or_told(request, form, found, file) for file in files)
    if count:
        text = ngettext("%(n)s file is being read.", "%(n)s files are being read.", count)
        say(request, text % {"n": count})
    if form.errors:
        return form_page(
            request,
            form,
            title=_("Upload files"),
            submit=_("Upload"),
            back=page_url(request, "base", found.id),
        )
    return go_to(request, "base", found.id)


def _added(request: TenantRequest, base: KnowledgeBase, file: "UploadedFile[Any]") -> Document:
    return documents.document_upload(
        actor=actor_of(request),
        knowledge_base=base,
        file=cast(BinaryIO, file),
        file_name=file.name or "file",
        content_type=file.content_type or "",
    )


def _added_or_told(
    request: TenantRequest, form: UploadForm, base: KnowledgeBase, file: "UploadedFile[Any]"
) -> bool:
    """Each file stands for itself: one refused file does not undo the others."""
    try:
        with transaction.atomic():
            _added(request, base, file)
    except AppError as error:
        form.add_error("files", f"{file.name}: {_(str(error.message))}")
        return False
    return True


@needs(get="edit", post="edit")
def document_add_url(request: TenantRequest, base_id: UUID) -> HttpResponse:
    found = selectors.knowledge_base_get(base_id)
    form = UrlForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            documents.document_add_url(
                actor=actor_of(request), knowledge_base=found, **form.cleaned_data
            )
            say(request, _("The page is being fetched."))
            return go_to(request, "base", found.id)
    return form_page(
        request,
        form,
        title=_("Add a web page"),
        text=_("This one page is fetched once. Pages that need a sign-in cannot be read."),
        submit=_("Fetch"),
        back=page_url(request, "base", found.id),
    )


@needs(get="edit", post="edit")
def document_add_text(request: TenantRequest, base_id: UUID) -> HttpResponse:
    found = selectors.knowledge_base_get(base_id)
    form = TextForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            documents.document_add_text(
                actor=actor_of(request), knowledge_base=found, **form.cleaned_data
            )
            say(request, _("The text is being read."))
            return go_to(request, "base", found.id)
    back = page_url(request, "base", found.id)
    return form_page(request, form, title=_("Write or paste text"), submit=_("Add"), back=back)
