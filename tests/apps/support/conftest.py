"""A fruit shop: a small stand for most tests, the demo's whole shop for the sets."""

import io
import uuid

import pytest
from PIL import Image, ImageDraw

from apps.support.demo import orders_load, shop_load
from apps.support.facts.rung import ShopFacts
from apps.support.services.catalogue import shipping_rule_upsert, sku_upsert
from apps.support.services.claim_rules import rules_begin
from furrow.assistants.ladder import Question
from furrow.core.context import tenant_tx
from furrow.tenants.services import SYSTEM, Actor
from tests.replay import made_once


@pytest.fixture
def actor(cast):
    return Actor.user(cast.owner)


@pytest.fixture
def scoped(cast):
    with tenant_tx(cast.tenant.id):
        yield cast.tenant


@pytest.fixture
def shop(scoped):
    """The demo's catalogue, inside the tenant's transaction."""
    shop_load()
    return scoped


@pytest.fixture
def stand(scoped):
    """Two goods and two zones."""
    return made_once("support", stand_make)


def stand_make():
    rules_begin(actor=SYSTEM)
    shipping_rule_upsert(
        values={"name": "near", "regions": ["广东"], "first_kg": "5", "first_fee": "8", "extra_fee": "1.5", "days": [2, 3]}
    )  # fmt: skip
    shipping_rule_upsert(values={"name": "never", "regions": ["西藏"], "is_served": False})
    orange = sku_upsert(
        values={
            "code": "HN-1", "name_zh": "青禾脐橙·大果", "name_en": "Navel orange large", "category": "脐橙", "aliases": ["脐橙", "orange"],
            "price": "69.90", "net_weight_kg": "5", "stock": 12, "season": [1110, 131], "storage_zh": "冷藏45天",
        }
    )  # fmt: skip
    peach = sku_upsert(
        values={"code": "HT-1", "name_zh": "锦绣黄桃", "name_en": "Yellow peach", "category": "黄桃", "aliases": ["黄桃", "peach"], "price": "49.90"}
    )  # fmt: skip
    return {"orange": orange, "peach": peach}


@pytest.fixture
def orders(stand):
    return {order.number: order for order in orders_load()}


@pytest.fixture
def ask():
    def asked(text, *history, language="zh", conversation_id=None):
        question = Question(text, language, conversation_id or uuid.uuid4(), tuple(history))
        return ShopFacts().try_answer(question, None, None)

    return asked


def picture(seed=1, *, size=(640, 480), quality=90, taken="", software="", kind="JPEG"):
    """A photo with shapes that differ by seed."""
    image = Image.new("RGB", size, (200, 180, 90))
    draw = ImageDraw.Draw(image)
    for n in range(12):
        x, y = (seed * 97 + n * 211) % size[0], (seed * 61 + n * 137) % size[1]
        draw.ellipse(
            (x - 90, y - 90, x + 90, y + 90),
            fill=((n * 53 + seed * 31) % 255, (n * 97) % 255, seed * 17 % 255),
        )
    exif = Image.Exif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    if software:
        exif[0x0131] = software
    out = io.BytesIO()
    image.save(out, kind, quality=quality, exif=exif)
    return out.getvalue()
