"""From a bad answer to a good one: what was found, why it was not used, and everything that can be done about it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch
from django.utils.translation import gettext as _

from furrow.assistants import services
from furrow.assistants.config import AssistantConfig
from furrow.assistants.evaluation import golden, runs, selectors
from furrow.assistants.evaluation.models import GoldenQuestion
from furrow.assistants.evidence import evidence_of
from furrow.assistants.pins import passage_pin
from furrow.assistants.selectors import gap_open_for
from furrow.assistants.wordings import answers_near
from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid, NotFound
from furrow.dashboard.cases import Case, case_get
from furrow.dashboard.doors import actor_of, go_to, needs, page_url, say, text_of
from furrow.dashboard.forms.knowledge import ValidityForm
from furrow.dashboard.views.answers import answer_of
from furrow.knowledge.selectors import chunk_get, document_get
from furrow.knowledge.services.corrections import correction_create
from furrow.knowledge.services.documents import document_update
from furrow.tenants.web import TenantRequest, asks_model


@asks_model
@needs(get="view")
def repair(request: TenantRequest, kind: str, case_id: UUID) -> TemplateResponse:
    """One page for everything; htmx asks for the part that shows how the new try goes."""
    with tenant_tx(request.tenant.id):
        case = case_get(kind, case_id)
        context: dict[str, Any] = {"case": case, **_tried(case)}
        config = AssistantConfig.of_draft(case.assistant)
        if not request.htmx:  # type: ignore[attr-defined]
            context["gap"] = gap_open_for(case.assistant, case.question)
            context["near"] = answers_near(case.assistant, case.question)
    if request.htmx:  # type: ignore[attr-defined]
        return TemplateResponse(request, "dashboard/_repair_try.html", context)
    context["synonyms_url"] = _synonyms_url(request)
    context["evidence"] = evidence_of(case.asked(config), config)
    return TemplateResponse(request, "dashboard/repair.html", context)


def _synonyms_url(request: TenantRequest) -> str:
    """Where a group of synonyms is added; empty as long as the search knows none of a business's own."""
    try:
        return page_url(request, "synonyms")
    except NoReverseMatch:
        return ""


def _tried(case: Case) -> dict[str, Any]:
    """The latest new try, with its answer when there is one."""
    run = selectors.run_about(case.id)
    pair = selectors.run_pairs(run)[0] if run else None
    return {"run": run, "again": pair.candidate if pair else None}


def _back(request: TenantRequest, case: Case) -> HttpResponse:
    return go_to(request, "repair", case.kind, case.id)


@needs(post="edit")
def repair_run(request: TenantRequest, kind: str, case_id: UUID) -> HttpResponse:
    """Asks the same question of the draft again, at once."""
    case = case_get(kind, case_id)
    runs.run_create(
        assistant=case.assistant,
        kind=runs.Kind.REPAIR,
        candidate=runs.Subject.draft(case.assistant),
        asked=[
            runs.Asked(
                case.question,
                dict(case.expectation),
                [
                    {"question": each.question, "answer": each.answer, "rung": each.rung}
                    for each in case.history
                ],
            )
        ],
        about_id=case.id,
    )
    return _back(request, case)


@needs(post="edit")
def repair_answer(request: TenantRequest, kind: str, case_id: UUID) -> HttpResponse:
    """An approved answer in the owner's words; it also closes the gap that the question left."""
    case = case_get(kind, case_id)
    answer = text_of(request, "answer")
    gap = gap_open_for(case.assistant, case.question)
    if gap is not None:
        services.gap_answer(actor=actor_of(request), gap=gap, answer=answer)
    else:
        services.approved_answer_create(
            actor=actor_of(request), assistant=case.assistant, question=case.question, answer=answer
        )
    say(request, _("Approved. It is given word for word from now on; ask again to see it."))
    return _back(request, case)


@needs(post="edit")
def repair_wording(request: TenantRequest, kind: str, case_id: UUID) -> HttpResponse:
    """The question is another wording of one that has its approved answer."""
    case = case_get(kind, case_id)
    answer = answer_of(request)
    if answer.assistant_id != case.assistant.id:
        raise NotFound(_("This answer does not exist."))
    services.wordings_add(actor=actor_of(request), approved_answer=answer, wordings=[case.question])
    say(request, _("Added as another wording. Ask again to see it."))
    return _back(request, case)


@needs(post="edit")
def repair_pin(request: TenantRequest, kind: str, case_id: UUID) -> HttpResponse:
    case = case_get(kind, case_id)
    passage_pin(
        actor=actor_of(request),
        assistant=case.assistant,
        question=case.question,
        chunk=chunk_get(_id_of(request, "chunk")),
    )
    say(request, _("Pinned. Whoever asks this gets this passage, with its source."))
    return _back(request, case)


@needs(post="edit")
def repair_passage(request: TenantRequest, kind: str, case_id: UUID) -> HttpResponse:
    """The owner's corrected text in place of a passage."""
    case = case_get(kind, case_id)
    correction_create(
        actor=actor_of(request),
        chunk=chunk_get(_id_of(request, "chunk")),
        text=text_of(request, "text"),
    )
    say(
        request, _("The corrected text is being read; it is used in a few seconds. Then ask again.")
    )
    return _back(request, case)


@needs(post="edit")
def repair_date(request: TenantRequest, kind: str, case_id: UUID) -> HttpResponse:
    """From when until when a document counts."""
    case = case_get(kind, case_id)
    form = ValidityForm(request.POST)
    if not form.is_valid():
        raise Invalid(" ".join(str(each) for errors in form.errors.values() for each in errors))
    document = document_get(_id_of(request, "document"))
    document_update(actor=actor_of(request), document=document, **form.cleaned_data)
    say(request, _("The dates are saved. Ask again to see the difference."))
    return _back(request, case)


@needs(post="edit")
def repair_golden(request: TenantRequest, kind: str, case_id: UUID) -> HttpResponse:
    """Into the golden set, as what the answer should be: `expects` is answer, refusal or handover."""
    case = case_get(kind, case_id)
    expects = text_of(request, "expects")
    row = golden.golden_take(
        actor=actor_of(request),
        assistant=case.assistant,
        question=case.question,
        said=case.said,
        history=case.history,
        expects=expects if expects in GoldenQuestion.Expects.values else "",
    )
    say(request, _("In the golden set. Add what the answer must say, if you like."))
    return go_to(request, "golden_update", row.id)


def _id_of(request: TenantRequest, name: str) -> UUID:
    try:
        return UUID(text_of(request, name))
    except ValueError:
        raise Invalid(_("Choose a passage first."), field=name) from None
