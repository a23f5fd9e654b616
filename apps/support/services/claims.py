"""Writes on claims. The engine computes; a person says yes or no; nobody types an amount."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.support.claiming import letters
from apps.support.claiming.engine import reckon
from apps.support.claiming.photos import (
    SAME_PICTURE,
    Photo,
    distance,
    findings_of,
    is_plain,
    photo_read,
)
from apps.support.claiming.rules import (
    EXCLUSIONS,
    Facts,
    Outcome,
    Rule,
    Step,
    Terms,
    decimal_of,
)
from apps.support.claiming.starter import STARTER_RULES
from apps.support.models import Claim, ClaimPhoto, ClaimRule, Order, Sku
from apps.support.models.claims import Reason
from apps.support.selectors import claim_rules, settings_now
from furrow.core.context import current_tenant_id
from furrow.core.errors import Conflict, Invalid, LimitReached, NotFound, Refused
from furrow.core.keys import file_key
from furrow.knowledge.storage import file_delete, file_path
from furrow.tenants.models import Tenant
from furrow.tenants.services import Actor, audit

MOST_PHOTOS = 12
PHOTO_FOLDER = "claims"
_WEIGHTS = ("net_kg", "bad_kg", "received_kg", "sugar")
_AMOUNTS = ("paid", "freight")
_COUNTS = ("bad_count", "total_count", "days_late")
_TIMES = ("delivered_at", "picked_up_at")
FACT_NAMES = (*_WEIGHTS, *_AMOUNTS, *_COUNTS, *_TIMES, "is_pickup_announced", "exclusions")


@transaction.atomic
def claim_open(
    *,
    actor: Actor,
    reason: str,
    order: Order | None = None,
    sku: Sku | None = None,
    facts: Mapping[str, Any] | None = None,
    language: str = "zh",
    reported_at: datetime | None = None,
) -> Claim:
    """What the order and the goods know is filled in; `facts` are what the customer or staff say (`FACT_NAMES`)."""
    if reason not in Reason.values:
        raise Invalid(_("This reason does not exist."), field="reason")
    said = _facts_checked({**_facts_known(order, sku), **(facts or {})})
    claim = Claim.objects.create(
        number=_next_number(),
        reason=reason,
        order=order,
        sku=sku,
        facts=said,
        language="en" if language == "en" else "zh",
        reported_at=reported_at or timezone.now(),
    )
    audit(actor, "support.claim_opened", object_type="claim", object_id=claim.id)
    return claim_reckon(claim=claim)


@transaction.atomic
def claim_update(*, actor: Actor, claim: Claim, facts: Mapping[str, Any]) -> Claim:
    """Adds or corrects what is known and reckons again. None takes a figure back."""
    row = _locked(claim)
    _open_only(row)
    merged = {**row.facts, **_facts_checked(facts)}
    row.facts = {name: value for name, value in merged.items() if value is not None}
    row.save(update_fields=["facts"])
    audit(
        actor, "support.claim_updated", object_type="claim", object_id=row.id, facts=sorted(facts)
    )
    return claim_reckon(claim=row)


@transaction.atomic
def claim_reckon(*, claim: Claim) -> Claim:
    """Computes the offer anew. One that needs nobody's yes is approved by its rule at once."""
    row = _locked(claim)
    _open_only(row)
    _reckon(row)
    if row.state == Claim.State.APPROVED:
        _others_reckon(row)
    return row


def _others_reckon(approved: Claim) -> None:
    """What was paid back leaves less for other claims on the same goods; their offers must not promise it twice."""
    for other in _same_goods(approved).filter(state__in=[Claim.State.EVIDENCE, Claim.State.REVIEW]):
        _reckon(_locked(other), may_approve=False)


def _reckon(row: Claim, *, may_approve: bool = True) -> None:
    rules = [rule_of(each) for each in claim_rules()]
    outcome = reckon(rules, facts_of(row), approve_above=settings_now().approve_above)
    row.outcome = outcome_json(outcome)
    row.rule_id = UUID(outcome.rule.id) if outcome.rule else None
    row.rule_terms = outcome.rule.terms.as_json() if outcome.rule else {}
    row.offer = outcome.total if outcome.kind == "offer" else None
    if outcome.kind == "needs":
        row.state = Claim.State.EVIDENCE
        row.letter = letters.letter_missing(outcome, number=row.number, language=row.language)
    elif outcome.kind == "offer" and not outcome.approver and may_approve:
        _settle(row, Claim.State.APPROVED)
        row.letter = letters.letter_approved(outcome, number=row.number, language=row.language)
    else:
        row.state = Claim.State.REVIEW
        row.letter = letters.letter_waiting(number=row.number, language=row.language)
    row.save()


@transaction.atomic
def claim_decide(
    *,
    actor: Actor,
    claim: Claim,
    is_approved: bool,
    note: str = "",
    user_id: Any = None,
    role: str = "staff",
) -> Claim:
    """A person's yes to the computed offer, or no with a reason. `role` must reach what the rule asks for."""
    row = _locked(claim)
    _open_only(row)
    outcome = outcome_of(row)
    if is_approved:
        if row.offer is None:
            raise Conflict(_("There is no offer to approve: the rules give none."), code="no_offer")
        if outcome.approver == "owner" and role not in {"owner", "admin"}:
            raise Refused(_("This offer needs the yes of an owner or administrator."))
        row.letter = letters.letter_approved(outcome, number=row.number, language=row.language)
        _settle(row, Claim.State.APPROVED)
    else:
        if outcome.kind in {"offer", "no_rule", "needs"} and not note.strip():
            raise Invalid(_("Say why, the customer reads it."), field="note")
        row.letter = letters.letter_denied(
            outcome, number=row.number, language=row.language, note=note
        )
        _settle(row, Claim.State.DENIED)
    row.decision_note, row.decided_by_id = note[:2000], user_id
    row.save()
    if is_approved:
        _others_reckon(row)
    audit(actor, f"support.claim_{row.state}", object_type="claim", object_id=row.id)
    return row


@transaction.atomic
def claim_reopen(*, actor: Actor, claim: Claim) -> Claim:
    """Takes a decision back, for example the wrong button, and reckons anew; a person decides then."""
    row = _locked(claim)
    if row.is_open:
        raise Conflict(_("This claim is open already."))
    row.state, row.decided_at, row.decided_by = Claim.State.REVIEW, None, None
    row.letter = letters.letter_waiting(number=row.number, language=row.language)
    row.save(update_fields=["state", "decided_at", "decided_by", "letter"])
    audit(actor, "support.claim_reopened", object_type="claim", object_id=row.id)
    return row


@transaction.atomic
def photo_add(*, actor: Actor, claim: Claim, kind: str, data: bytes) -> ClaimPhoto:
    """Keeps a photo, looks whether it was seen before, and reckons again."""
    if kind not in ClaimPhoto.Kind.values:
        raise Invalid(_("This kind of photo does not exist."), field="kind")
    row = _locked(claim)
    _open_only(row)
    if row.photos.count() >= MOST_PHOTOS:
        raise LimitReached(_("A claim may have up to 12 photos."))
    photo = photo_read(data)
    ordered_at = row.order.ordered_at if row.order else None
    seen = _seen_before(photo)
    findings = findings_of(photo, ordered_at=ordered_at, reported_at=row.reported_at, seen=seen)
    photo_id = uuid4()
    key = file_key(current_tenant_id(), PHOTO_FOLDER, photo_id)
    made: ClaimPhoto = ClaimPhoto.objects.create(
        id=photo_id,
        claim=row,
        kind=kind,
        file_key=key,
        content_type=photo.content_type,
        size_bytes=len(data),
        width=photo.width,
        height=photo.height,
        sha256=photo.sha256,
        dhash=photo.dhash,
        taken_at=photo.taken_at,
        findings=findings,
    )
    path = file_path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    audit(actor, "support.claim_photo", object_type="claim", object_id=row.id, kind=kind)
    claim_reckon(claim=row)
    return made


@transaction.atomic
def photo_remove(*, actor: Actor, claim: Claim, photo_id: UUID) -> None:
    row = _locked(claim)
    _open_only(row)
    photo = ClaimPhoto.objects.filter(claim=row, id=photo_id).first()
    if photo is None:
        raise NotFound(_("This photo does not exist."))
    key = photo.file_key
    photo.delete()
    transaction.on_commit(lambda: file_delete(key))
    audit(actor, "support.claim_photo_removed", object_type="claim", object_id=row.id)
    claim_reckon(claim=row)


def _seen_before(photo: Photo) -> str:
    """`file` for the very same file, `picture` for the same picture in another file; empty when it is new."""
    others = ClaimPhoto.objects.all()
    if others.filter(sha256=photo.sha256).exists():
        return "file"
    if is_plain(photo.dhash):
        return ""
    recent = others.filter(created_at__gte=timezone.now() - timedelta(days=400))
    hashes = recent.values_list("dhash", flat=True).order_by("-created_at")[:20_000]
    return (
        "picture" if any(distance(photo.dhash, other) <= SAME_PICTURE for other in hashes) else ""
    )


def _facts_known(order: Order | None, sku: Sku | None) -> dict[str, Any]:
    """From rows; what a person says comes over it. Of an order with several goods the line of the goods counts."""
    known: dict[str, Any] = {}
    quantity = 1
    if order is not None:
        lines = list(order.lines.all())
        line = next((each for each in lines if sku is not None and each.sku_id == sku.id), None)
        amount = line.amount if line is not None else None
        known["paid"] = order.paid_amount if amount is None and len(lines) < 2 else amount
        known |= {"freight": order.freight, "delivered_at": order.delivered_at}
        quantity = line.quantity if line is not None else 1
    if sku is not None and sku.net_weight_kg is not None:
        known["net_kg"] = sku.net_weight_kg * quantity
    return {name: value for name, value in known.items() if value is not None}


def _facts_checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON: amounts as text, moments in ISO. Raises `Invalid` that names the field."""
    checked: dict[str, Any] = {}
    for name, value in facts.items():
        if name not in FACT_NAMES:
            raise Invalid(_("This figure does not exist."), field=name)
        checked[name] = None if value is None else _fact(name, value)
    return checked


def _fact(name: str, value: Any) -> Any:
    if name in _WEIGHTS or name in _AMOUNTS:
        return str(decimal_of(value, field=name))
    if name in _COUNTS:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Invalid(_("This is no whole number."), field=name)
        return value
    if name in _TIMES:
        return value.isoformat() if isinstance(value, datetime) else str(value)
    if name == "exclusions":
        if set(value) - set(EXCLUSIONS):
            raise Invalid(_("This exclusion does not exist."), field=name)
        return sorted(value)
    return bool(value)


def facts_of(claim: Claim) -> Facts:
    """The claim as the engine wants it: what was said, the photos there are, what was paid back before."""
    values: dict[str, Any] = dict(claim.facts)
    for name in (*_WEIGHTS, *_AMOUNTS):
        if name in values:
            values[name] = Decimal(values[name])
    for name in _TIMES:
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    photos = list(ClaimPhoto.objects.filter(claim=claim))
    return Facts(
        claim.reason,
        claim.reported_at,
        **{**values, "exclusions": frozenset(values.get("exclusions", ()))},
        category=claim.sku.product.category if claim.sku else "",
        already_refunded=_refunded_before(claim),
        photos=frozenset(photo.kind for photo in photos),
        is_photo_doubtful=any(photo.findings for photo in photos),
    )


def _refunded_before(claim: Claim) -> Decimal:
    approved = _same_goods(claim).filter(state=Claim.State.APPROVED)
    return approved.aggregate(sum=Sum("offer"))["sum"] or Decimal(0)


def _same_goods(claim: Claim) -> "QuerySet[Claim]":
    """Other claims on the same goods of the same order; one that names no goods is about all of them."""
    if claim.order_id is None:
        return Claim.objects.none()
    others = Claim.objects.filter(order_id=claim.order_id).exclude(id=claim.id)
    if claim.sku_id is None:
        return others
    return others.filter(Q(sku_id=claim.sku_id) | Q(sku_id=None))


def rule_of(row: ClaimRule) -> Rule:
    terms = Terms.of_json(row.terms)
    return Rule(
        str(row.id),
        row.name_zh,
        row.name_en,
        row.reason,
        terms,
        tuple(row.categories),
        row.position,
    )


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    rule = outcome.rule
    return {
        "kind": outcome.kind,
        "goods": str(outcome.goods),
        "freight": str(outcome.freight),
        "missing": list(outcome.missing),
        "approver": outcome.approver,
        "steps": [{"code": step.code, "values": dict(step.values)} for step in outcome.steps],
        "rule": {"name_zh": rule.name_zh, "name_en": rule.name_en} if rule else None,
    }


def outcome_of(claim: Claim) -> Outcome:
    """As it was stored, with the rule as it was then."""
    data = claim.outcome
    rule = None
    if data.get("rule"):
        terms = Terms.of_json(claim.rule_terms)
        rule = Rule(str(claim.rule_id or ""), **data["rule"], reason=claim.reason, terms=terms)
    return Outcome(
        data["kind"],
        tuple(Step(step["code"], step["values"]) for step in data["steps"]),
        rule,
        Decimal(data["goods"]),
        Decimal(data["freight"]),
        tuple(data["missing"]),
        data["approver"],
    )


@transaction.atomic
def rule_save(*, actor: Actor, rule: ClaimRule | None, **values: Any) -> ClaimRule:
    """A new rule, or a new version in the place of an old one: claims keep the words they were reckoned by."""
    Terms.of_json(values["terms"])
    version = 1
    if rule is not None:
        version = rule.version + 1
        ClaimRule.objects.filter(id=rule.id).update(is_enabled=False)
    made: ClaimRule = ClaimRule.objects.create(version=version, **values)
    audit(actor, "support.rule_saved", object_type="rule", object_id=made.id)
    return made


@transaction.atomic
def rule_switch(*, actor: Actor, rule: ClaimRule, is_enabled: bool) -> None:
    ClaimRule.objects.filter(id=rule.id).update(is_enabled=is_enabled)
    audit(actor, "support.rule_saved", object_type="rule", object_id=rule.id, on=is_enabled)


@transaction.atomic
def rules_begin(*, actor: Actor) -> None:
    """The usual rules of a fruit shop, for a shop that has none."""
    if ClaimRule.objects.filter(is_enabled=True).exists():
        raise Conflict(_("There are rules already."))
    for position, (zh, en, reason, categories, terms) in enumerate(STARTER_RULES):
        rule_save(
            actor=actor, rule=None, name_zh=zh, name_en=en, reason=reason, categories=categories, terms=terms,
            position=position,
        )  # fmt: skip


def _settle(row: Claim, state: str) -> None:
    row.state, row.decided_at = state, timezone.now()


def _open_only(row: Claim) -> None:
    if not row.is_open:
        raise Conflict(_("This claim is decided already."), code="claim_decided")


def _locked(claim: Claim) -> Claim:
    """The order first: claims on one order are reckoned and decided one after another."""
    if claim.order_id is not None:
        list(Order.objects.select_for_update(no_key=True).filter(id=claim.order_id).values("id"))
    row: Claim = (
        Claim.objects.select_for_update(of=("self",))
        .select_related("order", "sku__product")
        .get(id=claim.id)
    )
    return row


def _next_number() -> int:
    """Counted under a lock on the tenant, as tickets are."""
    list(Tenant.objects.select_for_update(no_key=True).filter(id=current_tenant_id()).values("id"))
    return (Claim.objects.aggregate(last=Max("number"))["last"] or 0) + 1
