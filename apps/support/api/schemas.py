"""Shapes of the shop's requests and answers. Amounts and weights are decimal text, so that they stay exact."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field, StringConstraints

from furrow.api.schemas import AmountText, Strict

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
DayOfYear = Annotated[int, Field(ge=101, le=1231)]
Language = Literal["zh", "en"]
MOST_ITEMS = 500


class ProductIn(Strict):
    """What is left out stays as it is. `season` is two days of the year as month * 100 + day."""

    code: Code
    name_zh: Short | None = None
    name_en: Short | None = None
    category: Short | None = None
    aliases: list[Short] | None = Field(None, max_length=20)
    spec: Short | None = None
    unit: Annotated[str, StringConstraints(max_length=12)] | None = None
    net_weight_kg: AmountText | None = None
    price: AmountText | None = None
    stock: int | None = Field(None, ge=0, le=10**9)
    season: tuple[DayOfYear, DayOfYear] | None = None
    storage_zh: Annotated[str, StringConstraints(max_length=400)] | None = None
    storage_en: Annotated[str, StringConstraints(max_length=400)] | None = None
    is_cold_chain: bool | None = None
    ships_from: Short | None = None


class ProductsIn(Strict):
    items: list[ProductIn] = Field(min_length=1, max_length=MOST_ITEMS)


class StockIn(Strict):
    code: Code
    quantity: int = Field(ge=0, le=10**9)


class StocksIn(Strict):
    items: list[StockIn] = Field(min_length=1, max_length=MOST_ITEMS)


class ZoneIn(Strict):
    """`regions` are provinces by any usual name."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    regions: list[Short] = Field(min_length=1, max_length=40)
    is_served: bool | None = None
    carrier: Short | None = None
    days: tuple[int, int] | None = None
    first_kg: AmountText | None = None
    first_fee: AmountText | None = None
    extra_fee: AmountText | None = None
    free_over: AmountText | None = None
    cold_chain_fee: AmountText | None = None
    is_cold_chain_served: bool | None = None


class ZonesIn(Strict):
    items: list[ZoneIn] = Field(min_length=1, max_length=60)


class LineIn(Strict):
    sku_code: Code | None = None
    title: Annotated[str, StringConstraints(max_length=300)] | None = None
    quantity: int = Field(1, ge=1, le=10**6)
    line_amount: AmountText | None = None


class OrderIn(Strict):
    """Of `phone` the last four digits are kept, and nothing else."""

    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=60)]
    status: str
    phone: Annotated[str, StringConstraints(max_length=40)] | None = None
    region: Short | None = None
    account: Short | None = None
    ordered_at: AwareDatetime | None = None
    paid_at: AwareDatetime | None = None
    shipped_at: AwareDatetime | None = None
    delivered_at: AwareDatetime | None = None
    paid_amount: AmountText | None = None
    freight: AmountText | None = None
    carrier: Annotated[str, StringConstraints(max_length=60)] | None = None
    tracking_number: Annotated[str, StringConstraints(max_length=60)] | None = None
    last_event: Annotated[str, StringConstraints(max_length=300)] | None = None
    last_event_at: AwareDatetime | None = None
    lines: list[LineIn] = Field([], max_length=60)


class OrdersIn(Strict):
    platform: Literal["taobao", "pinduoduo", "douyin", "other"] = "other"
    items: list[OrderIn] = Field(min_length=1, max_length=MOST_ITEMS)


class RequestIn(Strict):
    order_id: UUID
    kind: Literal["urge", "address", "cancel"]
    wish: Annotated[str, StringConstraints(max_length=2000)] = ""


class RequestDecisionIn(Strict):
    is_done: bool
    note: Annotated[str, StringConstraints(max_length=2000)] = ""


class ClaimFactsIn(Strict):
    """What is known of the case; there is no field for the offer, which is computed."""

    paid: AmountText | None = None
    freight: AmountText | None = None
    net_kg: AmountText | None = None
    bad_kg: AmountText | None = None
    received_kg: AmountText | None = None
    bad_count: int | None = Field(None, ge=0)
    total_count: int | None = Field(None, ge=0)
    sugar: AmountText | None = None
    days_late: int | None = Field(None, ge=0)
    delivered_at: AwareDatetime | None = None
    picked_up_at: AwareDatetime | None = None
    is_pickup_announced: bool | None = None
    exclusions: list[str] | None = Field(None, max_length=12)


class ClaimIn(Strict):
    reason: str
    order_id: UUID | None = None
    sku_code: Code | None = None
    language: Language = "zh"
    facts: ClaimFactsIn = Field(default_factory=lambda: ClaimFactsIn.model_validate({}))


class ClaimDecisionIn(Strict):
    is_approved: bool
    note: Annotated[str, StringConstraints(max_length=2000)] = ""


class QuestionIn(Strict):
    question: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)
    ]
    language: Language = "zh"


class Upserted(Schema):
    made: int
    changed: int


class Product(Schema):
    code: str
    name_zh: str
    name_en: str
    category: str
    price: str | None
    currency: str
    net_weight_kg: str | None
    stock: int | None
    as_of: datetime


class Zone(Schema):
    name: str
    regions: list[str]
    is_served: bool
    days: list[int | None]
    first_kg: str | None
    first_fee: str | None
    extra_fee: str | None
    free_over: str | None
    as_of: datetime


class Parcel(Schema):
    carrier: str
    tracking_number: str
    last_event: str


class Order(Schema):
    id: UUID
    platform: str
    number: str
    status: str
    region: str
    phone_tail: str
    ordered_at: datetime | None
    delivered_at: datetime | None
    paid_amount: str | None
    parcels: list[Parcel]
    as_of: datetime


class StaffRequest(Schema):
    id: UUID
    order_id: UUID
    kind: str
    state: str
    wish: str
    note: str
    created_at: datetime


class Photo(Schema):
    """`findings` are codes of what is odd, such as `same_file`, `same_picture`, `edited`, `older_than_order`."""

    id: UUID
    kind: str
    sha256: str
    taken_at: datetime | None
    findings: list[str]


class Claim(Schema):
    """`explanation` says step by step, in the claim's language, how the rule came to the offer."""

    id: UUID
    number: int
    state: str
    reason: str
    order_id: UUID | None
    offer: str | None
    currency: str
    missing: list[str]
    approver: str
    first_yes_at: datetime | None
    explanation: list[str]
    letter: str
    photos: list[Photo]
    created_at: datetime


class FactAnswer(Schema):
    """`is_answered` is false where no row knows; `reason` says why."""

    is_answered: bool
    text: str
    reason: str
    notes: dict[str, Any]
