"""The dialog before a review: a playbook and a side are proposed, each rule can be left out or weighed anew."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.contracts import selectors
from apps.contracts.forms import StartForm
from apps.contracts.models import Contract, Level, Playbook, PlaybookVersion, Strength
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.playbook.starter import starters
from apps.contracts.reviewing.estimate import Estimate, review_estimate
from apps.contracts.reviewing.findings import kept_rules
from apps.contracts.reviewing.model_step import wanted_rules
from apps.contracts.services.reviews import run_cancel, run_start
from apps.contracts.views.doors import contracts_url, go_contracts, language_code
from furrow.core.errors import NotFound
from furrow.dashboard.doors import actor_of, needs, refusals_in, say
from furrow.gateway.chat import chat_is_configured
from furrow.tenants.web import TenantRequest


@needs(get="answer", post="answer")
def review_start(request: TenantRequest, contract_id: UUID) -> HttpResponse:
    """A GET with `playbook` or `side` shows their rules; htmx takes the list alone. Without scripts the list is
    shown anew when the rules on the page were not those of the chosen playbook and side.
    """
    contract = selectors.contract_get(contract_id)
    form, chosen, rules = _dialog(request, contract)
    shown = f"{chosen.id if chosen else ''} {form['side'].value()}"
    is_seen = request.POST.get("shown") == shown
    if request.method == "POST" and form.is_valid() and is_seen:
        with refusals_in(form):
            run_start(
                actor=actor_of(request),
                version=selectors.version_newest(contract),
                side=form.cleaned_data["side"],
                strength=form.cleaned_data["strength"],
                playbook_version=chosen,
                rules=_edited(request, rules),
                with_checks=form.cleaned_data["with_checks"],
                with_model=form.cleaned_data.get("with_model", False),
                user_id=request.user.pk,
            )
            return go_contracts(request, "contract", contract.id)
    language = language_code()
    context = {
        "contract": contract,
        "form": form,
        "rules": [
            {"spec": rule, "name": rule.name_in(language), "note": rule.note_in(language)}
            for rule in rules
        ],
        "rules_of": shown,
        "levels": Level.choices,
        "estimate": _estimate(contract, form, rules),
        "back": contracts_url(request, "contract", contract.id),
    }
    is_part = bool(request.htmx) and "part" in request.GET  # type: ignore[attr-defined]
    template = "contracts/_rules.html" if is_part else "contracts/start.html"
    return TemplateResponse(request, template, context)


@needs(post="answer")
def review_cancel(request: TenantRequest, contract_id: UUID) -> HttpResponse:
    contract = selectors.contract_get(contract_id)
    run = selectors.run_newest(contract)
    if run is None:
        raise NotFound(_("This review does not exist."))
    run_cancel(actor=actor_of(request), run=run)
    say(request, _("The review was stopped. What was found up to now is kept."))
    return go_contracts(request, "contract", contract.id)


def _dialog(
    request: TenantRequest, contract: Contract
) -> tuple[StartForm, PlaybookVersion | None, list[RuleSpec]]:
    given = request.POST if request.method == "POST" else request.GET
    playbook = _chosen(given.get("playbook"), contract)
    side = given.get("side") or contract.side
    chosen = selectors.playbook_version_newest(playbook) if playbook else None
    rules = kept_rules(selectors.rules_of(chosen), side) if chosen else []
    initial = {
        "playbook": str(playbook.id) if playbook else "",
        "side": side,
        "strength": given.get("strength") or Strength.BALANCED,
        "with_checks": True,
        "with_model": selectors.model_was_asked(),
    }
    form = StartForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        playbooks=[(str(row.id), row.name) for row in selectors.playbooks_list()],
        sides=side_names(contract.kind),
        has_model=chat_is_configured(),
    )
    return form, chosen, rules


def _estimate(contract: Contract, form: StartForm, rules: list[RuleSpec]) -> Estimate | None:
    """None without a model, and while the file is not read."""
    if "with_model" not in form.fields or not rules:
        return None
    strength, side = str(form["strength"].value()), str(form["side"].value())
    specs = wanted_rules([rule.to_json() for rule in rules], strength)
    return review_estimate(selectors.version_newest(contract), specs, side=side)


def _chosen(given: str | None, contract: Contract) -> Playbook | None:
    if given is None:
        return selectors.playbook_proposed(contract.kind)
    try:
        return selectors.playbook_get(UUID(given)) if given else None
    except ValueError:
        raise NotFound(_("This playbook does not exist.")) from None


def _edited(request: TenantRequest, rules: list[RuleSpec]) -> list[RuleSpec]:
    """Those that are ticked, with the level that was chosen."""
    ticked = set(request.POST.getlist("rules"))
    kept = []
    for rule in rules:
        if rule.key in ticked:
            level = request.POST.get(f"level-{rule.key}", rule.level)
            kept.append(replace(rule, level=level if level in Level.values else rule.level))
    return kept


def side_names(kind: str) -> dict[str, Any]:
    """What the sides are called in a contract of this kind: seller and buyer, lessor and lessee."""
    starter = starters().get(kind)
    if starter is None:
        return {}
    return {side: names[language_code()] for side, names in starter.sides.items()}
