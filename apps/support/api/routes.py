"""The operations. Catalogue and zones need the knowledge scopes, orders and claims those of conversations."""

from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import UploadedFile
from ninja import File, Form, Router
from ninja.files import UploadedFile as NinjaFile

from apps.support import selectors
from apps.support.api import render, schemas
from apps.support.facts.rung import ShopFacts
from apps.support.importing import cells
from apps.support.models import ShippingRule
from apps.support.services import catalogue, claims, orders, requests
from apps.support.services.recording import Recorder
from furrow.api.answers import Items, Page
from furrow.api.operation import ApiRequest, operation
from furrow.api.pagination import page
from furrow.assistants.ladder import Question
from furrow.core.errors import Invalid

router = Router(tags=["support"])


@router.put(
    "/products", response={200: schemas.Upserted}, summary="Make or update goods by their codes"
)
@operation("knowledge:write")
def products_upsert(request: ApiRequest, body: schemas.ProductsIn) -> Any:
    """All or nothing."""
    recorder = Recorder()
    for item in body.items:
        catalogue.sku_upsert(values=item.model_dump(exclude_none=True), recorder=recorder)
    return 200, {"made": recorder.made, "changed": recorder.changed}


@router.get("/products", response={200: Page[schemas.Product]}, summary="List goods")
@operation("knowledge:read")
def products_list(request: ApiRequest, query: str = "", cursor: str = "", limit: int = 50) -> Any:
    rows = selectors.skus_found(query)
    found = page(rows, cursor=cursor, limit=limit, render=lambda row: {"row": row})
    stock = selectors.newest_stock([item["row"].id for item in found["items"]])
    found["items"] = [
        render.product(row, stock[row.id].quantity if row.id in stock else None)
        for row in (item["row"] for item in found["items"])
    ]
    return 200, found


@router.put("/stock", response={200: schemas.Upserted}, summary="Set how many there are")
@operation("knowledge:write")
def stock_set(request: ApiRequest, body: schemas.StocksIn) -> Any:
    for item in body.items:
        catalogue.stock_set_by_code(code=item.code, quantity=item.quantity)
    return 200, {"made": 0, "changed": len(body.items)}


@router.put(
    "/shipping-rules", response={200: schemas.Upserted}, summary="Make or update shipping zones"
)
@operation("knowledge:write")
def zones_upsert(request: ApiRequest, body: schemas.ZonesIn) -> Any:
    recorder = Recorder()
    for item in body.items:
        values = item.model_dump(exclude_none=True)
        try:
            values["regions"] = cells.regions("、".join(item.regions))
        except cells.BadCell:
            raise Invalid("A region of this zone is unknown.", field="regions") from None
        catalogue.shipping_rule_upsert(values=values, recorder=recorder)
    return 200, {"made": recorder.made, "changed": recorder.changed}


@router.get("/shipping-rules", response={200: Items[schemas.Zone]}, summary="List shipping zones")
@operation("knowledge:read")
def zones_list(request: ApiRequest) -> Any:
    rows = ShippingRule.objects.order_by("name")
    return 200, {"items": [render.zone(row) for row in rows]}


@router.put(
    "/orders", response={200: schemas.Upserted}, summary="Make or update orders by their numbers"
)
@operation("conversations:write")
def orders_upsert(request: ApiRequest, body: schemas.OrdersIn) -> Any:
    recorder = Recorder()
    for item in body.items:
        values = item.model_dump(exclude_none=True, exclude={"lines", "phone"})
        try:
            values["phone_tail"] = cells.phone_tail(item.phone) if item.phone else ""
            values["region"] = cells.region(item.region) if item.region else ""
        except cells.BadCell as bad:
            raise Invalid("The phone number or the province is unknown.", field=bad.code) from None
        lines = [line.model_dump(exclude_none=True) for line in item.lines]
        orders.order_upsert(platform=body.platform, values=values, lines=lines, recorder=recorder)
    return 200, {"made": recorder.made, "changed": recorder.changed}


@router.get(
    "/orders", response={200: Page[schemas.Order]}, summary="Find orders by number, parcel or phone"
)
@operation("conversations:read")
def orders_list(request: ApiRequest, query: str = "", cursor: str = "", limit: int = 50) -> Any:
    rows = selectors.orders_found(query)
    return 200, page(rows, cursor=cursor, limit=limit, render=render.order)


@router.get("/orders/{uuid:order_id}", response={200: schemas.Order}, summary="Read an order")
@operation("conversations:read")
def order_read(request: ApiRequest, order_id: UUID) -> Any:
    return 200, render.order(selectors.order_get(order_id))


@router.get(
    "/requests", response={200: Page[schemas.StaffRequest]}, summary="What customers want done"
)
@operation("conversations:read")
def requests_list(
    request: ApiRequest, state: str = "open", cursor: str = "", limit: int = 50
) -> Any:
    rows = selectors.requests_list(state)
    return 200, page(rows, cursor=cursor, limit=limit, render=render.staff_request)


@router.post(
    "/requests",
    response={201: schemas.StaffRequest},
    summary="Ask staff to do something with an order",
)
@operation("conversations:write")
def request_create(request: ApiRequest, body: schemas.RequestIn) -> Any:
    order = selectors.order_get(body.order_id)
    row = requests.request_open(order_id=order.id, kind=body.kind, wish=body.wish)
    return 201, render.staff_request(row)


@router.post(
    "/requests/{uuid:request_id}/decision",
    response={200: schemas.StaffRequest},
    summary="Say that it was done or not",
)
@operation("conversations:write")
def request_decide(request: ApiRequest, request_id: UUID, body: schemas.RequestDecisionIn) -> Any:
    row = selectors.request_get(request_id)
    row = requests.request_decide(
        actor=request.auth.actor, request=row, is_done=body.is_done, note=body.note
    )
    return 200, render.staff_request(row)


@router.post(
    "/claims", response={201: schemas.Claim}, summary="Open a claim; the rules compute its offer"
)
@operation("conversations:write")
def claim_create(request: ApiRequest, body: schemas.ClaimIn) -> Any:
    row = claims.claim_open(
        actor=request.auth.actor,
        reason=body.reason,
        order=selectors.order_get(body.order_id) if body.order_id else None,
        sku=selectors.sku_get(body.sku_code) if body.sku_code else None,
        facts=body.facts.model_dump(exclude_none=True),
        language=body.language,
    )
    return 201, render.claim(row)


@router.get("/claims", response={200: Page[schemas.Claim]}, summary="List claims")
@operation("conversations:read")
def claims_list(request: ApiRequest, state: str = "", cursor: str = "", limit: int = 50) -> Any:
    rows = selectors.claims_list(state).prefetch_related("photos")
    return 200, page(rows, cursor=cursor, limit=limit, render=render.claim)


@router.get("/claims/{uuid:claim_id}", response={200: schemas.Claim}, summary="Read a claim")
@operation("conversations:read")
def claim_read(request: ApiRequest, claim_id: UUID) -> Any:
    return 200, render.claim(selectors.claim_get(claim_id))


@router.patch(
    "/claims/{uuid:claim_id}",
    response={200: schemas.Claim},
    summary="Add what is known; reckons again",
)
@operation("conversations:write")
def claim_update(request: ApiRequest, claim_id: UUID, body: schemas.ClaimFactsIn) -> Any:
    row = selectors.claim_get(claim_id)
    facts = body.model_dump(exclude_unset=True)
    row = claims.claim_update(actor=request.auth.actor, claim=row, facts=facts)
    return 200, render.claim(selectors.claim_get(row.id))


@router.post(
    "/claims/{uuid:claim_id}/photos",
    response={201: schemas.Photo},
    summary="Add a photo to a claim",
)
@operation("conversations:write")
def photo_create(
    request: ApiRequest, claim_id: UUID, file: File[NinjaFile], kind: Form[str]
) -> Any:
    row = selectors.claim_get(claim_id)
    if not isinstance(file, UploadedFile):
        raise Invalid("Send one file in the field named file.", field="file")
    made = claims.photo_add(actor=request.auth.actor, claim=row, kind=kind, data=file.read())
    return 201, render.photo(made)


@router.post(
    "/claims/{uuid:claim_id}/decision",
    response={200: schemas.Claim},
    summary="Approve the offer or deny it",
)
@operation("conversations:write")
def claim_decide(request: ApiRequest, claim_id: UUID, body: schemas.ClaimDecisionIn) -> Any:
    """A key is no owner: what only an owner may approve is refused."""
    row = selectors.claim_get(claim_id)
    claims.claim_decide(
        actor=request.auth.actor, claim=row, is_approved=body.is_approved, note=body.note
    )
    return 200, render.claim(selectors.claim_get(claim_id))


@router.post(
    "/facts", response={200: schemas.FactAnswer}, summary="Ask the rows, without an assistant"
)
@operation("knowledge:read", in_transaction=False)
def fact_ask(request: ApiRequest, body: schemas.QuestionIn) -> Any:
    """Orders are told after the identity check only; what would become a request to staff is not opened here."""
    question = Question(body.question, body.language, uuid4())
    result = ShopFacts().try_answer(question, None, None)  # type: ignore[arg-type]
    return 200, {
        "is_answered": result.is_answered,
        "text": result.text,
        "reason": result.reason,
        "notes": dict(result.notes),
    }
