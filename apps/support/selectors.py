"""Reads of the shop. All run inside `tenant_tx`; another tenant's id is not found."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.support.facts.order_numbers import digits_of, folded_number
from apps.support.facts.shipping import Zones
from apps.support.models import (
    Claim,
    ClaimPhoto,
    ClaimRule,
    ImportBatch,
    Order,
    Policy,
    ShippingPause,
    ShippingRule,
    ShopSettings,
    Sku,
    StaffRequest,
    StockSnapshot,
)
from furrow.channels.models import Photo as ChatPhoto
from furrow.core.errors import NotFound
from furrow.tenants.models import PERMISSIONS, Membership

# Of one claim.
MOST_PHOTOS = 12


def settings_now() -> ShopSettings:
    """The shop's own, or the defaults, unsaved."""
    return ShopSettings.objects.first() or ShopSettings()


def skus_live() -> QuerySet[Any]:
    rows: QuerySet[Any] = Sku.objects.filter(deleted_at=None, product__deleted_at=None)
    rows = rows.select_related("product")
    return rows.prefetch_related("seasons", "storage", "product__skus").order_by("code")


def newest_stock(sku_ids: Sequence[UUID]) -> dict[UUID, StockSnapshot]:
    rows = StockSnapshot.objects.filter(sku_id__in=sku_ids).order_by(
        "sku_id", "-as_of", "-created_at"
    )
    return {row.sku_id: row for row in rows.distinct("sku_id")}


def zones() -> Zones:
    return Zones(list(ShippingRule.objects.order_by("name")), list(ShippingPause.objects.all()))


def policies_now() -> list[Policy]:
    today = timezone.localdate()
    return list(
        Policy.objects.filter(Q(valid_from=None) | Q(valid_from__lte=today)).filter(
            Q(valid_to=None) | Q(valid_to__gte=today)
        )
    )


def claim_rules() -> list[ClaimRule]:
    return list(ClaimRule.objects.filter(is_enabled=True).order_by("position", "created_at"))


def claim_rule_get(rule_id: UUID) -> ClaimRule:
    row: ClaimRule | None = ClaimRule.objects.filter(id=rule_id).first()
    if row is None:
        raise NotFound(_("This rule does not exist."))
    return row


def zone_get(zone_id: UUID) -> ShippingRule:
    row: ShippingRule | None = ShippingRule.objects.filter(id=zone_id).first()
    if row is None:
        raise NotFound(_("This zone does not exist."))
    return row


def sku_get(code: str) -> Sku:
    sku: Sku | None = skus_live().filter(code=code).first()
    if sku is None:
        raise NotFound(_("There is no product with this code."))
    return sku


def sku_by_id(sku_id: UUID, *, include_deleted: bool = False) -> Sku:
    rows = Sku.objects.select_related("product") if include_deleted else skus_live()
    sku: Sku | None = rows.filter(id=sku_id).first()
    if sku is None:
        raise NotFound(_("There is no product with this code."))
    return sku


def skus_found(query: str = "") -> QuerySet[Any]:
    rows = skus_live()
    if query:
        rows = rows.filter(
            Q(code__icontains=query)
            | Q(product__name_zh__icontains=query)
            | Q(product__name_en__icontains=query)
            | Q(product__category__icontains=query)
        )
    return rows


def orders_found(query: str = "", status: str = "") -> QuerySet[Any]:
    """By number however it is typed, by tracking number, or by the last digits of the phone."""
    rows: QuerySet[Any] = Order.objects.select_related("customer").prefetch_related(
        "shipments", "lines"
    )
    if status:
        rows = rows.filter(status=status)
    if query:
        number, digits = folded_number(query), digits_of(query)
        wanted = Q(number=number) | Q(shipments__tracking_number__iexact=query.strip())
        if len(digits) >= 6:
            wanted |= Q(digits__contains=digits)
        if len(digits) == 4:
            wanted |= Q(phone_tail=digits)
        rows = rows.filter(id__in=Order.objects.filter(wanted).values("id"))
    counted = Count("requests", filter=Q(requests__state="open"), distinct=True)
    rows = rows.annotate(open_requests=counted)
    return rows.order_by("-ordered_at", "-created_at")


def order_get(order_id: UUID) -> Order:
    order: Order | None = (
        Order.objects.filter(id=order_id)
        .select_related("customer")
        .prefetch_related("shipments", "lines__sku__product", "requests", "claims")
        .first()
    )
    if order is None:
        raise NotFound(_("This order does not exist."))
    return order


def requests_list(state: str = StaffRequest.State.OPEN) -> QuerySet[Any]:
    rows: QuerySet[Any] = StaffRequest.objects.select_related("order", "decided_by")
    return (
        rows.filter(state=state).order_by("-created_at") if state else rows.order_by("-created_at")
    )


def request_get(request_id: UUID) -> StaffRequest:
    row: StaffRequest | None = (
        StaffRequest.objects.filter(id=request_id).select_related("order").first()
    )
    if row is None:
        raise NotFound(_("This request does not exist."))
    return row


def claims_list(state: str = "") -> QuerySet[Any]:
    rows: QuerySet[Any] = Claim.objects.select_related("order", "sku__product", "rule").annotate(
        photo_count=Count("photos")
    )
    return (rows.filter(state=state) if state else rows).order_by("-created_at")


def claim_of_chat(conversation_id: UUID) -> Claim | None:
    """The open one that began in this conversation."""
    rows = Claim.objects.filter(
        conversation_id=conversation_id, state__in=[Claim.State.EVIDENCE, Claim.State.REVIEW]
    )
    claim: Claim | None = rows.order_by("-number").first()
    return claim


def photos_unclaimed(conversation_id: UUID) -> list[ChatPhoto]:
    """Photos a visitor sent that no claim of this chat has yet, the oldest first; none beyond the most a claim holds."""
    rows = ChatPhoto.objects.filter(conversation_id=conversation_id).exclude(turn=None)
    sent: list[ChatPhoto] = list(rows.order_by("created_at", "id"))
    if not sent:
        return []
    taken = ClaimPhoto.objects.filter(claim__conversation_id=conversation_id)
    known = set(taken.values_list("sha256", flat=True))
    fresh = {photo.sha256: photo for photo in reversed(sent) if photo.sha256 not in known}
    room = max(0, MOST_PHOTOS - taken.count())
    return [photo for photo in sent if fresh.get(photo.sha256) is photo][:room]


def needs_two(claim: Claim) -> bool:
    """Whether the yes of two people is needed. Who is alone in a business is enough for it."""
    limit = settings_now().two_above
    if limit is None or claim.offer is None or claim.offer <= limit:
        return False
    able = Membership.objects.filter(role__in=PERMISSIONS["answer"], user__is_active=True)
    return bool(able.count() > 1)


def claim_get(claim_id: UUID) -> Claim:
    claim: Claim | None = (
        Claim.objects.filter(id=claim_id)
        .select_related("order", "sku__product", "rule", "decided_by", "first_yes_by")
        .prefetch_related("photos")
        .first()
    )
    if claim is None:
        raise NotFound(_("This claim does not exist."))
    return claim


def batches_list() -> QuerySet[Any]:
    rows: QuerySet[Any] = ImportBatch.objects.select_related("made_by")
    return rows.order_by("-created_at")


def batch_get(batch_id: UUID) -> ImportBatch:
    batch: ImportBatch | None = ImportBatch.objects.filter(id=batch_id).first()
    if batch is None:
        raise NotFound(_("This import does not exist."))
    return batch
