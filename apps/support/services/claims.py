"""Writes on claims. The engine computes; a person says yes or no; nobody types an amount."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max, QuerySet
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
from apps.support.models import Claim, ClaimPhoto, Order, Sku
from apps.support.models.claims import Reason
from apps.support.selectors import MOST_PHOTOS, claim_rules, needs_two, settings_now
from apps.support.services.claim_facts import facts_checked, facts_known, facts_of, same_goods
from apps.support.services.claim_records import outcome_json, outcome_of, rule_of
from furrow.channels.models import Photo as ChatPhoto
from furrow.conversations.models import Conversation
from furrow.core.context import current_tenant_id
from furrow.core.errors import Conflict, Invalid, LimitReached, NotFound, Refused
from furrow.core.keys import file_key
from furrow.knowledge.storage import file_delete, file_path
from furrow.tenants.models import Membership, Tenant
from furrow.tenants.services import Actor, audit

PHOTO_FOLDER = "claims"
SEEN_WITHIN = timedelta(days=400)
MOST_COMPARED = 20_000
_LEADERS = frozenset({"owner", "admin"})


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
    said = facts_checked({**facts_known(order, sku), **(facts or {})})
    # The order before the tenant's counter, as everybody takes them.
    _order_lock(order.id if order else None)
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


def claim_link(*, claim: Claim, conversation: Conversation) -> None:
    """The chat the claim came from, so that both pages lead to each other."""
    claim.conversation = conversation
    claim.save(update_fields=["conversation"])


def claim_known_fill(claim: Claim) -> None:
    """What order and goods know, where nobody has said it."""
    claim.facts = {**facts_checked(facts_known(claim.order, claim.sku)), **claim.facts}
    claim.save(update_fields=["facts"])


@transaction.atomic
def claim_update(*, actor: Actor, claim: Claim, facts: Mapping[str, Any]) -> Claim:
    """Adds or corrects what is known and reckons again. None takes a figure back."""
    row = _locked(claim)
    _open_only(row)
    merged = {**row.facts, **facts_checked(facts)}
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
    for other in same_goods(approved).filter(state__in=[Claim.State.EVIDENCE, Claim.State.REVIEW]):
        _reckon(_locked(other), may_approve=False)


def _reckon(row: Claim, *, may_approve: bool = True) -> None:
    rules, before = [rule_of(each) for each in claim_rules()], row.offer
    outcome = reckon(rules, facts_of(row), approve_above=settings_now().approve_above)
    row.outcome = outcome_json(outcome)
    row.rule_id = UUID(outcome.rule.id) if outcome.rule else None
    row.rule_terms = outcome.rule.terms.as_json() if outcome.rule else {}
    row.offer = outcome.total if outcome.kind == "offer" else None
    if row.offer != before:
        row.first_yes_by, row.first_yes_at = None, None
    if outcome.kind == "needs":
        row.state = Claim.State.EVIDENCE
        row.letter = letters.letter_missing(outcome, number=row.number, language=row.language)
    elif outcome.kind == "offer" and not outcome.approver and may_approve and not needs_two(row):
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
    """A person's yes to the computed offer, or no with a reason. `role` must reach what the rule asks for. Above the
    shop's second limit the first yes changes nothing but that a second person's decides.
    """
    row = _locked(claim)
    _open_only(row)
    outcome = outcome_of(row)
    if is_approved:
        if row.offer is None:
            raise Conflict(_("There is no offer to approve: the rules give none."), code="no_offer")
        if needs_two(row) and not _is_second_yes(row, actor, user_id):
            return row
        if outcome.approver == "owner" and not _is_led(row, role):
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


def _is_second_yes(row: Claim, actor: Actor, user_id: Any) -> bool:
    """False when this was the first one, which is kept. Raises for the same person, and for what is no person."""
    if user_id is None:
        raise Refused(_("Two people must say yes to this offer, in the dashboard."))
    if row.first_yes_by_id is None:
        row.first_yes_by_id, row.first_yes_at = user_id, timezone.now()
        row.save(update_fields=["first_yes_by", "first_yes_at"])
        audit(actor, "support.claim_first_yes", object_type="claim", object_id=row.id)
        return False
    if row.first_yes_by_id == user_id:
        raise Conflict(
            _("You have said yes already. A colleague has to look at it too."), code="same_person"
        )
    return True


def _is_led(row: Claim, role: str) -> bool:
    """Whether an owner or administrator is among those who say yes."""
    first = Membership.objects.filter(user_id=row.first_yes_by_id).first()
    return role in _LEADERS or (first is not None and first.role in _LEADERS)


@transaction.atomic
def claim_reopen(*, actor: Actor, claim: Claim) -> Claim:
    """Takes a decision back, for example the wrong button, and reckons anew; a person decides then."""
    row = _locked(claim)
    if row.is_open:
        raise Conflict(_("This claim is open already."))
    row.state, row.decided_at, row.decided_by = Claim.State.REVIEW, None, None
    row.first_yes_by, row.first_yes_at = None, None
    row.letter = letters.letter_waiting(number=row.number, language=row.language)
    row.save(
        update_fields=[
            "state", "decided_at", "decided_by", "first_yes_by", "first_yes_at", "letter"
        ]
    )  # fmt: skip
    audit(actor, "support.claim_reopened", object_type="claim", object_id=row.id)
    return row


@transaction.atomic
def photo_add(*, actor: Actor, claim: Claim, kind: str, data: bytes) -> ClaimPhoto:
    """Keeps a photo, looks whether it was seen before, and reckons again."""
    if kind not in ClaimPhoto.Kind.values:
        raise Invalid(_("This kind of photo does not exist."), field="kind")
    # Before the lock: reading it takes a while.
    photo = photo_read(data)
    row = _locked(claim)
    _open_only(row)
    if row.photos.count() >= MOST_PHOTOS:
        raise LimitReached(_("A claim may have up to 12 photos."))
    made = _photo_keep(
        row, kind, photo, data, seen=_seen_before(photo, ClaimPhoto.objects.all(), row)
    )
    audit(actor, "support.claim_photo", object_type="claim", object_id=row.id, kind=kind)
    claim_reckon(claim=row)
    return made


@transaction.atomic
def photo_copy(
    *, actor: Actor, claim: Claim, photo: Photo, data: bytes, chat_photo_id: UUID
) -> bool:
    """Keeps a photo of the chat, once; False for one that is there already and beyond the most there may be."""
    row = _locked(claim)
    own = ClaimPhoto.objects.filter(claim=row)
    if not row.is_open or own.count() >= MOST_PHOTOS:
        return False
    if own.filter(sha256=photo.sha256).exists():
        return False
    seen = _seen_before(photo, ClaimPhoto.objects.exclude(claim=row), row)
    kind = ClaimPhoto.Kind.OTHER
    _photo_keep(row, kind, photo, data, seen=seen, chat_photo_id=chat_photo_id)
    audit(actor, "support.claim_photo", object_type="claim", object_id=row.id, kind=kind)
    claim_reckon(claim=row)
    return True


@transaction.atomic
def photo_sort(*, actor: Actor, claim: Claim, photo_id: UUID, kind: str) -> Claim:
    """Somebody looked at it and says what it shows."""
    if kind not in ClaimPhoto.Kind.values:
        raise Invalid(_("This kind of photo does not exist."), field="kind")
    row = _locked(claim)
    _open_only(row)
    if not ClaimPhoto.objects.filter(claim=row, id=photo_id).update(kind=kind):
        raise NotFound(_("This photo does not exist."))
    audit(actor, "support.claim_photo", object_type="claim", object_id=row.id, kind=kind)
    return claim_reckon(claim=row)


def _photo_keep(
    row: Claim,
    kind: str,
    photo: Photo,
    data: bytes,
    *,
    seen: str,
    chat_photo_id: UUID | None = None,
) -> ClaimPhoto:
    ordered_at = row.order.ordered_at if row.order else None
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
        chat_photo_id=chat_photo_id,
    )
    path = file_path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
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


def _seen_before(photo: Photo, claimed: QuerySet[Any], row: Claim) -> str:
    """`file` for the very same file, `picture` for the same picture in another file; empty when it is new. Looked for
    among photos of claims, and for a claim that began in a chat among those of all other chats.
    """
    sets = [claimed]
    if row.conversation_id is not None:
        sets.append(ChatPhoto.objects.exclude(conversation_id=row.conversation_id))
    if any(rows.filter(sha256=photo.sha256).exists() for rows in sets):
        return "file"
    if is_plain(photo.dhash):
        return ""
    since = timezone.now() - SEEN_WITHIN
    for rows in sets:
        recent = rows.filter(created_at__gte=since).order_by("-created_at")
        hashes = recent.values_list("dhash", flat=True)[:MOST_COMPARED]
        if any(distance(photo.dhash, other) <= SAME_PICTURE for other in hashes):
            return "picture"
    return ""


def _settle(row: Claim, state: str) -> None:
    row.state, row.decided_at = state, timezone.now()


def _open_only(row: Claim) -> None:
    if not row.is_open:
        raise Conflict(_("This claim is decided already."), code="claim_decided")


def _locked(claim: Claim) -> Claim:
    """The order first: claims on one order are reckoned and decided one after another."""
    _order_lock(claim.order_id)
    row: Claim = (
        Claim.objects.select_for_update(of=("self",))
        .select_related("order", "sku__product")
        .get(id=claim.id)
    )
    return row


def _order_lock(order_id: UUID | None) -> None:
    if order_id is not None:
        list(Order.objects.select_for_update(no_key=True).filter(id=order_id).values("id"))


def _next_number() -> int:
    """Counted under a lock on the tenant, as tickets are."""
    list(Tenant.objects.select_for_update(no_key=True).filter(id=current_tenant_id()).values("id"))
    return (Claim.objects.aggregate(last=Max("number"))["last"] or 0) + 1
