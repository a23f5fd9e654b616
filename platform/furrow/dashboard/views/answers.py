"""Approved answers, and the gaps they close."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.assistants import selectors, services
from furrow.assistants.evaluation.gaps import MOST_ASKED
from furrow.assistants.evaluation.gaps import gaps_ask as ask_again
from furrow.assistants.models import ApprovedAnswer, Assistant, Gap
from furrow.assistants.wordings import answers_near_each
from furrow.conversations.wordings import wordings_asked
from furrow.core.errors import Invalid, NotFound
from furrow.dashboard.doors import (
    actor_of,
    form_page,
    go_to,
    kept_of,
    needs,
    page_url,
    paged,
    refusals_in,
    say,
    text_of,
)
from furrow.dashboard.forms.approved import ApprovedAnswerForm
from furrow.tenants.web import TenantRequest

# A deleted answer waits here, so that one click brings it back.
DELETED = "deleted_answer"


@needs(get="view")
def answers(request: TenantRequest) -> TemplateResponse:
    """The answers of one assistant; without a choice, of the newest."""
    assistants = list(selectors.assistants_list())
    chosen = _chosen(assistants, text_of(request, "assistant"))
    query = text_of(request, "q")
    rows = selectors.approved_answers_list(chosen, query=query) if chosen else []
    context = {
        "assistants": assistants,
        "assistant": chosen,
        "page": paged(request, rows),
        "query": query,
    }
    return TemplateResponse(request, "dashboard/answers.html", context)


def _chosen(assistants: list[Assistant], text: str) -> Assistant | None:
    return next((a for a in assistants if str(a.id) == text), assistants[0] if assistants else None)


@needs(get="edit", post="edit")
def answer_create(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    assistant = selectors.assistant_get(assistant_id)
    form = ApprovedAnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            row = services.approved_answer_create(
                actor=actor_of(request), assistant=assistant, **form.cleaned_data
            )
            if wordings_asked(row):
                say(
                    request,
                    _("The answer is in force at once. Visitors asked something like it before."),
                )
                return go_to(request, "answer_update", row.id)
            say(request, _("The answer is in force at once."))
            return _to_list(request, assistant)
    back = _list_url(request, assistant)
    return form_page(request, form, title=_("New approved answer"), submit=_("Add"), back=back)


@needs(get="edit", post="edit")
def answer_update(request: TenantRequest, answer_id: UUID) -> HttpResponse:
    found = selectors.approved_answer_get(answer_id)
    form = ApprovedAnswerForm(
        request.POST or None, initial=_fields_of(found), wordings=wordings_asked(found)
    )
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data.pop("asked", [])
        with refusals_in(form):
            services.approved_answer_update(
                actor=actor_of(request), approved_answer=found, **form.cleaned_data
            )
            services.wordings_add(actor=actor_of(request), approved_answer=found, wordings=asked)
            say(request, _("Saved."))
            return _to_list(request, found.assistant)
    back = _list_url(request, found.assistant)
    return form_page(request, form, title=_("Change the answer"), submit=_("Save"), back=back)


@needs(post="edit")
def answer_delete(request: TenantRequest, answer_id: UUID) -> HttpResponse:
    found = selectors.approved_answer_get(answer_id)
    request.session[DELETED] = _kept(found)
    services.approved_answer_delete(actor=actor_of(request), approved_answer=found)
    say(request, _("The answer is deleted."), undo=page_url(request, "answer_restore"))
    return _to_list(request, found.assistant)


@needs(post="edit")
def answer_restore(request: TenantRequest) -> HttpResponse:
    kept = kept_of(request, DELETED)
    assistant = selectors.assistant_get(UUID(kept["assistant"]))
    form = ApprovedAnswerForm({**kept["fields"], "variants": "\n".join(kept["fields"]["variants"])})
    form.full_clean()
    services.approved_answer_create(
        actor=actor_of(request), assistant=assistant, **form.cleaned_data
    )
    say(request, _("The answer is back."))
    return _to_list(request, assistant)


def _kept(found: ApprovedAnswer) -> dict[str, Any]:
    fields = _fields_of(found)
    for name in ("valid_from", "valid_to"):
        fields[name] = fields[name].isoformat() if fields[name] else ""
    return {
        "tenant": str(found.tenant_id),
        "assistant": str(found.assistant_id),
        "fields": fields,
    }


def _fields_of(found: ApprovedAnswer) -> dict[str, Any]:
    names = [name for name in ApprovedAnswerForm.base_fields if name != "asked"]
    return {name: getattr(found, name) for name in names}


def _list_url(request: TenantRequest, assistant: Assistant) -> str:
    return f"{page_url(request, 'answers')}?assistant={assistant.id}"


def _to_list(request: TenantRequest, assistant: Assistant) -> HttpResponse:
    response = go_to(request, "answers")
    response["Location"] = _list_url(request, assistant)
    return response


@needs(get="view")
def gaps(request: TenantRequest) -> TemplateResponse:
    """Open gaps by cluster; those that were dealt with one by one."""
    state = text_of(request, "state")
    shown = state if state in Gap.State.values else Gap.State.OPEN
    is_open = shown == Gap.State.OPEN
    page = paged(request, selectors.gap_clusters() if is_open else selectors.gaps_list(state=shown))
    tabs = [
        {"url": f"?state={value}", "label": label, "is_current": value == shown}
        for value, label in Gap.State.choices
    ]
    context = {
        "page": page,
        "state": shown,
        "tabs": tabs,
        "asked_assistants": _with_gaps(list(page.object_list)) if is_open else [],
        "wordings": selectors.gap_wordings(page.object_list) if is_open else {},
        "near": answers_near_each(page.object_list) if is_open else {},
    }
    return TemplateResponse(request, "dashboard/gaps.html", context)


def _with_gaps(gaps: list[Gap]) -> list[Assistant]:
    return list({gap.assistant_id: gap.assistant for gap in gaps}.values())


@needs(post="edit")
def gap_answer(request: TenantRequest, gap_id: UUID) -> HttpResponse:
    """`same` names the other wordings that the answer is for; without the choice, all of them."""
    gap = selectors.gap_get(gap_id)
    only = None if "chosen" not in request.POST else _ids(request.POST.getlist("same"))
    services.gap_answer(
        actor=actor_of(request), gap=gap, answer=text_of(request, "answer"), only=only
    )
    say(request, _("Added. The next visitor who asks gets this answer."))
    return go_to(request, "gaps")


@needs(post="edit")
def gap_join(request: TenantRequest, gap_id: UUID) -> HttpResponse:
    """The question, and the other wordings on its line, mean what `answer` answers already."""
    gap = selectors.gap_get(gap_id)
    answer = answer_of(request)
    if answer.assistant_id != gap.assistant_id:
        raise NotFound(_("This answer does not exist."))
    services.gap_join(actor=actor_of(request), gap=gap, approved_answer=answer)
    say(request, _("Added as another wording. Whoever asks like this gets that answer."))
    return go_to(request, "gaps")


def answer_of(request: TenantRequest) -> ApprovedAnswer:
    """The approved answer that a form names."""
    return selectors.approved_answer_get(_ids([text_of(request, "answer")])[0])


def _ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise Invalid("These are no ids.", field="same") from None


@needs(post="edit")
def gaps_ask(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    """Asks the open gaps of an assistant again; what is answered now leaves the list."""
    assistant = selectors.assistant_get(assistant_id)
    gaps = list(selectors.gaps_list(assistant)[:MOST_ASKED])
    run = ask_again(assistant=assistant, gaps=gaps)
    return go_to(request, "run", run.id)


@needs(post="edit")
def gap_dismiss(request: TenantRequest, gap_id: UUID) -> HttpResponse:
    gap = selectors.gap_get(gap_id)
    services.gap_dismiss(actor=actor_of(request), gap=gap)
    undo = page_url(request, "gap_reopen", gap.id)
    say(request, _("Dismissed. It stays off the list, however often it is asked."), undo=undo)
    return go_to(request, "gaps")


@needs(post="edit")
def gap_reopen(request: TenantRequest, gap_id: UUID) -> HttpResponse:
    gap = selectors.gap_get(gap_id)
    services.gap_reopen(actor=actor_of(request), gap=gap)
    say(request, _("The question is on the list again."))
    return go_to(request, "gaps")
