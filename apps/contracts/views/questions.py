"""Asking over contracts: one box, the contracts to ask, and each file's answer by itself."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.contracts import selectors
from apps.contracts.forms import QuestionForm
from apps.contracts.models import Inquiry
from apps.contracts.services import inquiries as services
from apps.contracts.views.doors import go_contracts, tabs
from furrow.dashboard.doors import actor_of, needs, paged, refusals_in, say
from furrow.gateway.chat import chat_is_configured
from furrow.tenants.web import TenantRequest

_MOST_OFFERED = 200


@needs(get="view", post="answer")
def questions(request: TenantRequest) -> HttpResponse:
    """`?contract=` ticks one beforehand; nothing ticked means all."""
    offered = [(str(row.id), row.title) for row in selectors.contracts_list()[:_MOST_OFFERED]]
    form = QuestionForm(
        request.POST if request.method == "POST" else None,
        initial={"contracts": request.GET.getlist("contract")},
        contracts=offered,
        has_model=chat_is_configured(),
    )
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            made = services.inquiry_ask(
                actor=actor_of(request),
                text=form.cleaned_data["text"],
                contract_ids=[UUID(value) for value in form.cleaned_data["contracts"]],
                with_model=form.cleaned_data.get("with_model", False),
                user_id=request.user.pk,
            )
            return go_contracts(request, "question", made.id)
    context = {
        "form": form,
        "offered": offered,
        "ticked": form["contracts"].value() or [],
        "page": paged(request, selectors.inquiries_list()),
        "tabs": tabs(request, "questions"),
    }
    return TemplateResponse(request, "contracts/questions.html", context)


@needs(get="view")
def question(request: TenantRequest, inquiry_id: UUID) -> HttpResponse:
    """htmx asks for the part that changes, until the answer is there."""
    found = selectors.inquiry_get(inquiry_id)
    context = {"inquiry": found, "answers": _answers(found), "tabs": tabs(request, "questions")}
    is_part = bool(request.htmx) and "part" in request.GET  # type: ignore[attr-defined]
    template = "contracts/_answers.html" if is_part else "contracts/question.html"
    return TemplateResponse(request, template, context)


@needs(post="answer")
def question_delete(request: TenantRequest, inquiry_id: UUID) -> HttpResponse:
    services.inquiry_delete(actor=actor_of(request), inquiry=selectors.inquiry_get(inquiry_id))
    say(request, _("The question and its answers were removed."))
    return go_contracts(request, "questions")


def _answers(inquiry: Inquiry) -> list[dict[str, Any]]:
    """Look-alikes are named by their titles, where they answer too."""
    rows = selectors.inquiry_answers(inquiry)
    titles = {str(row.contract_id): row.contract.title for row in rows}
    return [
        {"row": row, "alike": [titles[other] for other in row.alike if other in titles]}
        for row in rows
    ]
