"""The house's rules by hand: zones, policies, limits, claim rules."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.support import selectors
from apps.support.claiming.explain import words
from apps.support.forms_rules import LimitsForm, PolicyForm, RuleForm, ZoneForm, rule_initial
from apps.support.models import Policy, ShippingPause, ShippingRule
from apps.support.services import catalogue, claim_rules
from apps.support.views.doors import go_shop, goods_tabs, shop_url
from furrow.dashboard.doors import actor_of, form_page, needs, refusals_in, say
from furrow.tenants.web import TenantRequest


@needs(get="view")
def zones(request: TenantRequest) -> TemplateResponse:
    context = {
        "rules": selectors.zones().rules,
        "pauses": ShippingPause.objects.order_by("first_day"),
        "tabs": goods_tabs(request, "zones"),
    }
    return TemplateResponse(request, "support/zones.html", context)


@needs(get="edit", post="edit")
def zone_create(request: TenantRequest) -> HttpResponse:
    return _zone_form(request, None)


@needs(get="edit", post="edit")
def zone_update(request: TenantRequest, zone_id: UUID) -> HttpResponse:
    return _zone_form(request, selectors.zone_get(zone_id))


def _zone_form(request: TenantRequest, zone: ShippingRule | None) -> HttpResponse:
    form = ZoneForm(request.POST or None, initial=_zone_initial(zone) if zone else None)
    if zone is not None:
        # The name is how an import finds the zone again.
        form.fields["name"].disabled = True
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            catalogue.shipping_rule_upsert(values=form.cleaned_data)
            say(request, _("Saved. Answers tell it from now on."))
            return go_shop(request, "zones")
    back = shop_url(request, "zones")
    title = zone.name if zone else _("New zone")
    return form_page(request, form, title=title, submit=_("Save"), back=back)


def _zone_initial(zone: ShippingRule) -> dict[str, Any]:
    names = (
        "name", "is_served", "carrier", "first_kg", "first_fee", "extra_fee", "free_over", "cold_chain_fee",
        "is_cold_chain_served",
    )  # fmt: skip
    days = "" if zone.days_min is None else f"{zone.days_min}-{zone.days_max}"
    return {
        **{n: getattr(zone, n) for n in names},
        "regions": "、".join(zone.regions),
        "days": days,
    }


@needs(get="view")
def policies(request: TenantRequest) -> TemplateResponse:
    known = {row.topic: row for row in Policy.objects.all()}
    context = {
        "topics": [(value, label, known.get(value)) for value, label in Policy.Topic.choices],
        "limits": selectors.settings_now(),
        "tabs": goods_tabs(request, "policies"),
    }
    return TemplateResponse(request, "support/policies.html", context)


@needs(get="edit", post="edit")
def policy_update(request: TenantRequest, topic: str) -> HttpResponse:
    if topic not in Policy.Topic.values:
        raise Http404
    row = Policy.objects.filter(topic=topic).first()
    initial = {"text_zh": row.text_zh, "text_en": row.text_en} if row else None
    form = PolicyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            catalogue.policy_set(actor=actor_of(request), topic=topic, **form.cleaned_data)
            say(request, _("Saved. Answers tell it from now on."))
            return go_shop(request, "policies")
    back = shop_url(request, "policies")
    title = str(Policy.Topic(topic).label)
    return form_page(request, form, title=title, submit=_("Save"), back=back)


@needs(get="edit", post="edit")
def limits_update(request: TenantRequest) -> HttpResponse:
    now = selectors.settings_now()
    initial = {name: getattr(now, name) for name in LimitsForm.base_fields}
    form = LimitsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            catalogue.settings_update(actor=actor_of(request), **form.cleaned_data)
            say(request, _("Saved."))
            return go_shop(request, "policies")
    back = shop_url(request, "policies")
    text = _("What nobody confirmed for longer is no longer told.")
    return form_page(request, form, title=_("Limits"), submit=_("Save"), back=back, text=text)


@needs(get="view")
def rules(request: TenantRequest) -> TemplateResponse:
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    rows = [
        {
            "row": row,
            "name": row.name_zh if language == "zh" else row.name_en,
            "photos": words([f"photo:{kind}" for kind in row.terms.get("evidence", [])], language),
        }
        for row in selectors.claim_rules()
    ]
    context = {
        "rules": rows,
        "tabs": goods_tabs(request, "rules"),
        "limits": selectors.settings_now(),
    }
    return TemplateResponse(request, "support/rules.html", context)


@needs(get="edit", post="edit")
def rule_create(request: TenantRequest) -> HttpResponse:
    return _rule_form(request, None)


@needs(get="edit", post="edit")
def rule_update(request: TenantRequest, rule_id: UUID) -> HttpResponse:
    """Saving makes a new version; claims that were reckoned by the old one keep it."""
    return _rule_form(request, selectors.claim_rule_get(rule_id))


@needs(post="edit")
def rules_begin(request: TenantRequest) -> HttpResponse:
    claim_rules.rules_begin(actor=actor_of(request))
    say(request, _("The usual rules of a fruit shop are there. Change what is different with you."))
    return go_shop(request, "rules")


@needs(post="edit")
def rule_disable(request: TenantRequest, rule_id: UUID) -> HttpResponse:
    row = selectors.claim_rule_get(rule_id)
    claim_rules.rule_switch(actor=actor_of(request), rule=row, is_enabled=False)
    say(request, _("The rule no longer counts."), undo=shop_url(request, "rule_enable", row.id))
    return go_shop(request, "rules")


@needs(post="edit")
def rule_enable(request: TenantRequest, rule_id: UUID) -> HttpResponse:
    row = selectors.claim_rule_get(rule_id)
    claim_rules.rule_switch(actor=actor_of(request), rule=row, is_enabled=True)
    say(request, _("The rule counts again."))
    return go_shop(request, "rules")


def _rule_form(request: TenantRequest, row: Any) -> HttpResponse:
    form = RuleForm(request.POST or None, initial=rule_initial(row) if row else None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            names = ("name_zh", "name_en", "reason", "categories")
            claim_rules.rule_save(
                actor=actor_of(request),
                rule=row,
                terms=form.terms(dict(row.terms) if row else {}),
                position=row.position if row else 100,
                **{name: form.cleaned_data[name] for name in names},
            )
            say(request, _("Saved. New claims are reckoned by it; decided ones stay as they are."))
            return go_shop(request, "rules")
    back = shop_url(request, "rules")
    title = _("Claim rule") if row else _("New claim rule")
    return form_page(request, form, title=title, submit=_("Save"), back=back)
