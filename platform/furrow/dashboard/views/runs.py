"""Runs: begin one, watch it, compare two sides, publish the winner; and publications that wait for one."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.assistants.evaluation import gate, runs, selectors, starting
from furrow.assistants.evaluation.models import EvaluationResult, EvaluationRun, PublicationCheck
from furrow.assistants.evaluation.summary import Pair
from furrow.assistants.models import Assistant
from furrow.assistants.selectors import assistant_get, assistant_versions
from furrow.core.errors import NotFound
from furrow.dashboard import evaluation_words as words
from furrow.dashboard.doors import (
    actor_of,
    go_to,
    needs,
    paged,
    refusals_in,
    say,
    text_of,
)
from furrow.dashboard.forms.quality import CompareForm, OverrideForm
from furrow.gateway.chat import chat_models
from furrow.tenants.web import TenantRequest

VERSIONS_OFFERED = 30
_SHOWN = ("broken", "wrong", "fixed", "all")


@needs(post="edit")
def run_start(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    """Asks the golden set of the draft."""
    run = starting.evaluation_start(
        actor=actor_of(request),
        assistant=assistant_get(assistant_id),
        candidate=starting.Choice(),
    )
    return go_to(request, "run", run.id)


@needs(get="view")
def run(request: TenantRequest, run_id: UUID) -> TemplateResponse:
    """How far a run is and what came of it; asks again by itself while it is under way."""
    found = selectors.run_get(run_id)
    pairs = selectors.run_pairs(found)
    check = selectors.check_of_run(found)
    context: dict[str, Any] = {
        "run": found,
        "progress": selectors.run_progress(found),
        "check": check,
        "override_form": OverrideForm(),
        "figures": _figures(found),
        "is_blocked": check is not None and check.state == PublicationCheck.State.BLOCKED,
        **_shown(request, found, pairs),
    }
    template = "dashboard/_run.html" if request.htmx else "dashboard/run.html"  # type: ignore[attr-defined]
    return TemplateResponse(request, template, context)


def _shown(request: TenantRequest, found: EvaluationRun, pairs: list[Pair]) -> dict[str, Any]:
    """The questions of the chosen tab, the worst tab that has any by default."""
    groups = {
        "broken": [pair for pair in pairs if pair.change == "broken"],
        "wrong": [pair for pair in pairs if pair.candidate.is_passed is False],
        "fixed": [pair for pair in pairs if pair.change == "fixed"],
        "all": pairs,
    }
    wanted = text_of(request, "show")
    default = next(name for name in ("broken", "wrong", "all") if groups[name] or name == "all")
    shown = wanted if wanted in groups else default if not found.is_active else "all"
    labels = {"broken": _("Broken"), "wrong": _("Wrong"), "fixed": _("Fixed"), "all": _("All")}
    names = [name for name in _SHOWN if groups[name] or name in {shown, "all"}]
    tabs = [
        {
            "url": f"?show={name}",
            "label": labels[name],
            "count": len(groups[name]),
            "is_current": name == shown,
        }
        for name in names
    ]
    return {"tabs": tabs, "page": paged(request, groups[shown], per_page=30)}


def _figures(found: EvaluationRun) -> list[dict[str, str]]:
    """The run in four numbers, once it is done; with two sides as differences."""
    if not found.summary:
        return []
    side = found.summary["candidate"]
    figures = []
    if side["passed"] + side["failed"]:
        judged = side["passed"] + side["failed"]
        figures.append({"label": _("Right"), "value": f"{side['passed']}/{judged}"})
    if found.base_config is None:
        cost = words.money(side["cost"], side["currency"])
        return [
            *figures,
            {"label": _("Cost"), "value": cost},
            {"label": _("Time for an answer"), "value": f"{side['median_ms']} ms"},
        ]
    base = found.summary["base"]
    if figures:
        figures += [
            {"label": _("Fixed"), "value": str(found.summary["fixed"])},
            {"label": _("Broken"), "value": str(found.summary["broken"])},
        ]
    cost = words.money_change(base["cost"], side["cost"], side["currency"])
    latency = words.ms_change(base["median_ms"], side["median_ms"])
    return [
        *figures,
        {"label": _("Cost difference"), "value": cost},
        {"label": _("Time difference"), "value": latency},
    ]


@needs(post="edit")
def run_cancel(request: TenantRequest, run_id: UUID) -> HttpResponse:
    found = selectors.run_get(run_id)
    check = selectors.check_of_run(found)
    if check is not None:
        gate.publication_withdraw(actor=actor_of(request), check=check)
        say(request, _("Stopped. Nothing was published."))
    else:
        runs.run_cancel(run=found)
        say(request, _("Stopped. What was answered so far is kept."))
    return go_to(request, "run", found.id)


@needs(post="edit")
def publication_override(request: TenantRequest, check_id: UUID) -> HttpResponse:
    """Publishes what a check holds back, for a written reason."""
    check = selectors.check_get(check_id)
    outcome = gate.publication_override(
        actor=actor_of(request), check=check, reason=text_of(request, "override_reason")
    )
    say(request, _("Version %(n)s is live.") % {"n": outcome.number})
    return go_to(request, "assistant", check.assistant_id)


@needs(post="edit")
def publication_withdraw(request: TenantRequest, check_id: UUID) -> HttpResponse:
    check = selectors.check_get(check_id)
    gate.publication_withdraw(actor=actor_of(request), check=check)
    say(request, _("Taken back. Visitors keep what they have."))
    return go_to(request, "assistant", check.assistant_id)


@needs(get="edit", post="edit")
def comparison(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    """Two sides beside each other, on the golden set or on one question."""
    assistant = assistant_get(assistant_id)
    versions = list(assistant_versions(assistant)[:VERSIONS_OFFERED])
    form = CompareForm(
        request.POST or None,
        versions=versions,
        models=chat_models(),
        initial=_usual_sides(assistant),
    )
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            started = starting.evaluation_start(
                actor=actor_of(request),
                assistant=assistant,
                candidate=starting.Choice(**form.side("a")),
                base=starting.Choice(**form.side("b")),
                question=form.cleaned_data["question"],
            )
            return go_to(request, "run", started.id)
    context = {"assistant": assistant, "form": form, "has_golden": _has_golden(assistant)}
    return TemplateResponse(request, "dashboard/comparison.html", context)


def _usual_sides(assistant: Assistant) -> dict[str, str]:
    return {"a": "", "b": str(assistant.published.number) if assistant.published else ""}


def _has_golden(assistant: Assistant) -> bool:
    return selectors.golden_list(assistant).filter(is_enabled=True).exists()


@needs(post="edit")
def run_publication(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """Publishes one side of a comparison: `side` is candidate or base."""
    found = selectors.run_get(run_id)
    side = text_of(request, "side")
    config = found.base_config if side == EvaluationResult.Side.BASE else found.config
    if config is None:
        raise NotFound("This side does not exist.")
    return publish_and_tell(request, found.assistant, config=config)


def publish_and_tell(request: TenantRequest, assistant: Assistant, **options: Any) -> HttpResponse:
    """Publishes at once, or leads to the run that is asked first."""
    outcome = gate.publication_request(actor=actor_of(request), assistant=assistant, **options)
    if outcome.version is None and outcome.check is not None:
        return go_to(request, "run", outcome.check.run_id)
    said = _("Version %(n)s is live.") % {"n": outcome.version.number if outcome.version else ""}
    if not outcome.has_golden:
        said += " " + _("Tip: with golden questions, every publication is tested first.")
    say(request, said)
    return go_to(request, "assistant", assistant.id)
