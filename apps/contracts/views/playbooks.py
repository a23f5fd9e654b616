"""Playbooks: the house's rules in plain words. Each change makes a version; reviews keep the one they ran with."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.contracts import selectors
from apps.contracts.forms import PlaybookForm, RuleForm
from apps.contracts.models import Level, Playbook, Side
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.playbook.starter import starters
from apps.contracts.quality import trial
from apps.contracts.services import playbooks as services
from apps.contracts.views.doors import contracts_url, go_contracts, language_code, tabs
from apps.contracts.views.start import side_names
from furrow.core.errors import NotFound
from furrow.dashboard.doors import actor_of, form_page, needs, refusals_in, say
from furrow.tenants.web import TenantRequest


@needs(get="view")
def playbooks(request: TenantRequest) -> TemplateResponse:
    known = set(Playbook.objects.exclude(starter="").values_list("starter", flat=True))
    context = {
        "playbooks": list(selectors.playbooks_list()),
        "is_incomplete": bool(set(starters()) - known),
        "tabs": tabs(request, "playbooks"),
    }
    return TemplateResponse(request, "contracts/playbooks.html", context)


@needs(post="edit")
def playbooks_begin(request: TenantRequest) -> HttpResponse:
    made = services.starters_ensure(actor=actor_of(request), language=language_code())
    say(request, _("%(n)s playbooks were taken over.") % {"n": made})
    return go_contracts(request, "playbooks")


@needs(get="edit", post="edit")
def playbook_create(request: TenantRequest) -> HttpResponse:
    form = PlaybookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            made = services.playbook_create(
                actor=actor_of(request), user_id=request.user.pk, **form.cleaned_data
            )
            return go_contracts(request, "playbook", made.id)
    back = contracts_url(request, "playbooks")
    return form_page(request, form, title=_("New playbook"), submit=_("Go on"), back=back)


@needs(get="view")
def playbook(request: TenantRequest, playbook_id: UUID) -> TemplateResponse:
    found = selectors.playbook_get(playbook_id)
    version = selectors.playbook_version_newest(found)
    names = {**dict(Side.choices), **side_names(found.kind)}
    levels, language = dict(Level.choices), language_code()
    context = {
        "playbook": found,
        "version": version,
        "rules": [
            {
                "spec": rule,
                "name": rule.name_in(language),
                "note": rule.note_in(language),
                "side": _("Both") if rule.side == Side.NEUTRAL else names[rule.side],
                "level": levels[rule.level],
            }
            for rule in selectors.rules_of(version)
        ],
    }
    return TemplateResponse(request, "contracts/playbook.html", context)


@needs(get="view")
def playbook_trial(request: TenantRequest, playbook_id: UUID) -> TemplateResponse:
    found = selectors.playbook_get(playbook_id)
    trials, tried = trial(found)
    rows = [
        {
            "name": each.spec.name_in(language_code()),
            "level": each.spec.level,
            "broken": each.broken,
        }
        for each in sorted(trials, key=lambda each: -len(each.broken))
    ]
    context = {"playbook": found, "rows": rows, "tried": tried}
    return TemplateResponse(request, "contracts/trial.html", context)


@needs(get="edit", post="edit")
def playbook_update(request: TenantRequest, playbook_id: UUID) -> HttpResponse:
    found = selectors.playbook_get(playbook_id)
    form = PlaybookForm(request.POST or None, initial={"name": found.name, "kind": found.kind})
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.playbook_update(actor=actor_of(request), playbook=found, **form.cleaned_data)
            return go_contracts(request, "playbook", found.id)
    back = contracts_url(request, "playbook", found.id)
    return form_page(request, form, title=found.name, submit=_("Save"), back=back)


@needs(post="edit")
def playbook_delete(request: TenantRequest, playbook_id: UUID) -> HttpResponse:
    found = selectors.playbook_get(playbook_id)
    services.playbook_delete(actor=actor_of(request), playbook=found)
    undo = contracts_url(request, "playbook_restore", found.id)
    say(request, _("“%(title)s” was removed.") % {"title": found.name}, undo=undo)
    return go_contracts(request, "playbooks")


@needs(post="edit")
def playbook_restore(request: TenantRequest, playbook_id: UUID) -> HttpResponse:
    found = selectors.playbook_get(playbook_id, include_deleted=True)
    services.playbook_restore(actor=actor_of(request), playbook=found)
    say(request, _("The playbook is back."))
    return go_contracts(request, "playbook", found.id)


@needs(get="edit", post="edit")
def rule_create(request: TenantRequest, playbook_id: UUID) -> HttpResponse:
    found = selectors.playbook_get(playbook_id)
    form = _form(request, found, RuleForm(request.POST or None))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            made = form.spec(services.rule_key_make(), language_code())
            return _saved(request, found, lambda rules: [*rules, made])
    return _rule_page(request, found, form, _("New rule"))


@needs(get="edit", post="edit")
def rule_update(request: TenantRequest, playbook_id: UUID, key: str) -> HttpResponse:
    found = selectors.playbook_get(playbook_id)
    before = _rule(found, key)
    initial = RuleForm.initial_of(before, language_code())
    form = _form(request, found, RuleForm(request.POST or None, initial=initial))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            made = form.spec(key, language_code(), before)
            return _saved(
                request,
                found,
                lambda rules: [made if rule.key == key else rule for rule in rules],
            )
    return _rule_page(request, found, form, initial["name"])


@needs(post="edit")
def rule_delete(request: TenantRequest, playbook_id: UUID, key: str) -> HttpResponse:
    found = selectors.playbook_get(playbook_id)
    _rule(found, key)
    return _saved(request, found, lambda rules: [rule for rule in rules if rule.key != key])


def _rule(playbook: Playbook, key: str) -> RuleSpec:
    rules = selectors.rules_of(selectors.playbook_version_newest(playbook))
    found = next((rule for rule in rules if rule.key == key), None)
    if found is None:
        raise NotFound(_("This rule does not exist."))
    return found


def _form(request: TenantRequest, found: Playbook, form: RuleForm) -> RuleForm:
    names = side_names(found.kind)
    choices = [
        (value, _("Both") if value == Side.NEUTRAL else names.get(value, label))
        for value, label in Side.choices
    ]
    form.fields["side"].choices = choices  # type: ignore[attr-defined]
    return form


def _saved(request: TenantRequest, found: Playbook, edit: services.Edit) -> HttpResponse:
    version = services.playbook_rules_edit(
        actor=actor_of(request), playbook=found, edit=edit, user_id=request.user.pk
    )
    say(
        request, _("Kept as version %(n)s. Earlier reviews keep their own.") % {"n": version.number}
    )
    return go_contracts(request, "playbook", found.id)


def _rule_page(request: TenantRequest, found: Playbook, form: Any, title: str) -> HttpResponse:
    back = contracts_url(request, "playbook", found.id)
    return form_page(request, form, title=title, submit=_("Save"), back=back)
