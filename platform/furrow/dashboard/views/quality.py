"""Golden questions of an assistant: the list with its trend, writing, importing, taking them from chats."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from furrow.assistants.evaluation import golden, importing, selectors
from furrow.assistants.evaluation.models import EvaluationRun, GoldenQuestion
from furrow.assistants.ladder import Exchange
from furrow.assistants.models import Assistant
from furrow.assistants.selectors import assistant_get, assistants_list
from furrow.conversations.selectors import earlier_exchanges, turn_get
from furrow.dashboard.cases import said_in
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
from furrow.dashboard.forms.quality import GoldenForm, GoldenImportForm, golden_initial
from furrow.dashboard.trend_chart import LineChart, Point, line_chart
from furrow.knowledge.selectors import documents_of_bases
from furrow.tenants.web import TenantRequest

# A deleted question waits here, so that one click brings it back.
DELETED = "deleted_golden"
RUNS_SHOWN = 8


@needs(get="view")
def quality(request: TenantRequest) -> TemplateResponse:
    """The golden set of one assistant; without a choice, of the newest."""
    assistants = list(assistants_list())
    wanted = text_of(request, "assistant")
    chosen = next((a for a in assistants if str(a.id) == wanted), next(iter(assistants), None))
    context: dict[str, Any] = {"assistants": assistants, "assistant": chosen}
    if chosen is not None:
        runs = list(selectors.with_progress(selectors.runs_list(chosen))[:RUNS_SHOWN])
        context |= {
            "page": paged(request, selectors.golden_list(chosen), per_page=50),
            "runs": runs,
            "chart": _trend(request, selectors.trend(chosen)),
            "last": next((run for run in runs if run.summary), None),
        }
    return TemplateResponse(request, "dashboard/quality.html", context)


def _trend(request: TenantRequest, runs: list[EvaluationRun]) -> LineChart | None:
    points = [_point(request, run) for run in runs if run.summary["candidate"]["asked"]]
    if not points:
        return None
    summary = _("Share of golden questions answered rightly, night by night; last: %(value)s.")
    return line_chart(
        points,
        ceiling=100,
        top="100 %",
        middle="50 %",
        summary=summary % {"value": points[-1].text},
    )


def _point(request: TenantRequest, run: EvaluationRun) -> Point:
    side = run.summary["candidate"]
    share = 100 * side["passed"] / side["asked"]
    text = f"{round(share)} % ({side['passed']}/{side['asked']})"
    label = date_format(localtime(run.created_at), "SHORT_DATE_FORMAT")
    return Point(label, share, text, page_url(request, "run", run.id))


def _form(request: TenantRequest, assistant: Assistant, initial: dict[str, Any]) -> GoldenForm:
    bases = [base.id for base in assistant.knowledge_bases.filter(deleted_at=None)]
    documents = list(documents_of_bases(bases))
    return GoldenForm(request.POST or None, documents=documents, initial=initial)


@needs(get="edit", post="edit")
def golden_create(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistant_get(assistant_id)
    form = _form(request, assistant, {"expects": "answer", "is_enabled": True})
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            golden.golden_create(actor=actor_of(request), assistant=assistant, **form.expected())
            say(request, _("The question is in the set."))
            return _to_set(request, assistant)
    back = _set_url(request, assistant)
    return form_page(request, form, title=_("New golden question"), submit=_("Add"), back=back)


@needs(get="edit", post="edit")
def golden_update(request: TenantRequest, golden_id: UUID) -> HttpResponse:
    found = selectors.golden_get(golden_id)
    form = _form(request, found.assistant, golden_initial(found))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            golden.golden_update(actor=actor_of(request), golden=found, **form.expected())
            say(request, _("Saved."))
            return _to_set(request, found.assistant)
    back = _set_url(request, found.assistant)
    return form_page(request, form, title=_("Golden question"), submit=_("Save"), back=back)


@needs(post="edit")
def golden_delete(request: TenantRequest, golden_id: UUID) -> HttpResponse:
    found = selectors.golden_get(golden_id)
    request.session[DELETED] = {
        "tenant": str(found.tenant_id),
        "assistant": str(found.assistant_id),
        "fields": {**golden_initial(found), "page": found.page or ""},
        "history": found.history,
    }
    golden.golden_delete(actor=actor_of(request), golden=found)
    say(request, _("The question is deleted."), undo=page_url(request, "golden_restore"))
    return _to_set(request, found.assistant)


@needs(post="edit")
def golden_restore(request: TenantRequest) -> HttpResponse:
    kept = kept_of(request, DELETED)
    assistant = assistant_get(UUID(kept["assistant"]))
    fields = kept["fields"]
    facts = [line.split(" | ") for line in fields["facts"]]
    golden.golden_create(
        actor=actor_of(request),
        assistant=assistant,
        history=[Exchange(**turn) for turn in kept["history"]],
        **{
            **fields,
            "facts": facts,
            "page": fields["page"] or None,
            "document_id": UUID(fields["document_id"]) if fields["document_id"] else None,
        },
    )
    say(request, _("The question is back."))
    return _to_set(request, assistant)


@needs(get="edit", post="edit")
def golden_import(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistant_get(assistant_id)
    form = GoldenImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            done = importing.golden_import(
                actor=actor_of(request),
                assistant=assistant,
                data=form.cleaned_data["file"].read(importing.MAX_BYTES + 1),
            )
            if not done.problems:
                say(request, _imported_words(done))
                return _to_set(request, assistant)
            context = {"assistant": assistant, "done": done, "words": _imported_words(done)}
            return TemplateResponse(request, "dashboard/golden_imported.html", context)
    back = _set_url(request, assistant)
    return form_page(
        request, form, title=_("Import golden questions"), submit=_("Import"), back=back
    )


def _imported_words(done: importing.Imported) -> str:
    words = ngettext("%(n)s question added.", "%(n)s questions added.", done.created)
    said = words % {"n": done.created}
    if done.known:
        said += " " + _("%(n)s were in the set already.") % {"n": done.known}
    return said


@needs(get="view")
def golden_export(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    rows = selectors.golden_list(assistant_get(assistant_id))
    # The mark lets Excel read Chinese.
    response = HttpResponse("\ufeff" + importing.golden_csv(rows), content_type="text/csv")
    response["Content-Disposition"] = 'attachment; filename="golden-questions.csv"'
    return response


@needs(post="edit")
def golden_from_turn(request: TenantRequest, turn_id: UUID) -> HttpResponse:
    """One click on a chat's answer: `expects` says what it should have been, empty that it was right."""
    turn = turn_get(turn_id)
    expects = text_of(request, "expects")
    row = golden.golden_take(
        actor=actor_of(request),
        assistant=turn.conversation.assistant,
        question=turn.text,
        said=said_in(turn),
        history=earlier_exchanges(turn),
        expects=expects if expects in GoldenQuestion.Expects.values else "",
    )
    say(request, _("In the golden set. Add what the answer must say, if you like."))
    return go_to(request, "golden_update", row.id)


def _set_url(request: TenantRequest, assistant: Assistant) -> str:
    return f"{page_url(request, 'quality')}?assistant={assistant.id}"


def _to_set(request: TenantRequest, assistant: Assistant) -> HttpResponse:
    response = go_to(request, "quality")
    response["Location"] = _set_url(request, assistant)
    return response
