"""The first page of a business."""

from typing import Any

from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.assistants.selectors import assistants_list
from furrow.dashboard import selectors
from furrow.dashboard.doors import needs, page_url
from furrow.knowledge.selectors import document_statuses
from furrow.metering.warnings import money_warnings
from furrow.tenants.web import TenantRequest


@needs(get="view")
def home(request: TenantRequest) -> TemplateResponse:
    state = selectors.start_state()
    latest = selectors.documents_latest()
    context = {
        "start": state,
        "steps": _steps(request, state),
        "figures": selectors.figures(),
        "upkeep": selectors.upkeep(),
        "documents": latest,
        "statuses": document_statuses(latest),
        "money_warnings": money_warnings() if request.membership.can("view_costs") else [],
    }
    return TemplateResponse(request, "dashboard/home.html", context)


def _steps(request: TenantRequest, state: selectors.StartState) -> list[dict[str, Any]]:
    """The first step not yet done is the one to do now."""
    assistant = assistants_list().first()
    editor = (
        page_url(request, "assistant", assistant.id)
        if assistant
        else page_url(request, "assistant_create")
    )
    steps = [
        (
            state.has_document,
            _("Upload your documents"),
            _(
                "Price list, shipping rules, frequent questions: PDF, Word, Excel, pictures or text."
            ),
            page_url(request, "base_first"),
            _("Upload"),
        ),
        (
            state.has_tried,
            _("Try the assistant"),
            _("Ask what your customers ask, and see the sentence and page it answers from."),
            editor,
            _("Try it"),
        ),
        (
            state.is_published,
            _("Publish it"),
            _(
                "Only then do visitors get answers. You can go back to an earlier version at any time."
            ),
            editor,
            _("Publish"),
        ),
    ]
    current = next((n for n, step in enumerate(steps) if not step[0]), len(steps))
    return [
        {
            "state": "done" if is_done else "now" if n == current else "later",
            "title": title,
            "text": text,
            "url": url,
            "action": action,
            "is_post": n == 0,
        }
        for n, (is_done, title, text, url, action) in enumerate(steps)
    ]
