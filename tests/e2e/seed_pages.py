"""Run by `manage.py shell` inside the started product: one business per language with a row of every kind.

Everything in a business is written in its one language, so that a page of it shows no other. Prints, as JSON, the
parameters of the routes for each language.
"""

import importlib
import importlib.util
import json
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.apps import apps
from django.utils import timezone, translation

from furrow.accounts.services import user_ensure
from furrow.assistants.evaluation.gate import publication_request
from furrow.assistants.evaluation.golden import golden_create
from furrow.assistants.evaluation.models import EvaluationRun, PublicationCheck
from furrow.assistants.evaluation.runs import Subject, run_create
from furrow.assistants.models import Assistant, Gap
from furrow.assistants.services import (
    approved_answer_create,
    assistant_create,
    assistant_publish,
    assistant_update,
)
from furrow.channels.deliveries import delivery_test
from furrow.channels.outside.connections import connection_create
from furrow.channels.webhooks import EVENTS, endpoint_create
from furrow.conversations.canned import canned_save
from furrow.conversations.models import Turn
from furrow.conversations.services import (
    conversation_create,
    feedback_set,
    ticket_close,
    ticket_open,
    turn_create,
)
from furrow.core.context import tenant_tx
from furrow.knowledge.models import Chunk, Document
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.corrections import correction_create
from furrow.knowledge.services.documents import document_add_text, document_upload
from furrow.knowledge.services.known import known_question_add
from furrow.knowledge.services.synonyms import synonym_group_save
from furrow.metering.budgets import budget_set
from furrow.metering.credit import adjustment_post
from furrow.metering.invoices import invoice_close
from furrow.metering.unit_economics import machine_price_set
from furrow.ops.demo.manifest import TENANTS
from furrow.ops.demo_loader import demo_owner
from furrow.tenants.hours import season_save
from furrow.tenants.models import SCOPES, Membership, Role
from furrow.tenants.services import Actor, api_key_create, invitation_create, tenant_create
from tests.dashboard.money import rolled_up, spend_at

WORDS: dict[str, dict[str, Any]] = {
    "zh": {
        "locale": "zh-hans", "business": "南坡果园", "fresh": "竹溪茶社", "base": "店铺资料", "assistant": "果园小二",
        "files": {"shipping_and_claims.pdf": "发货与赔付", "faq_zh.md": "常见问题"},
        "text": ("春节安排", "春节期间，正月初一到初五不发货，初六开始按下单顺序发出。"),
        "asked": ["赔付需要几张照片？", "你们收不收比特币？"],
        "approved": ("可以上门自提吗？", "可以，提前一天打电话，果园门口取货。"),
        "golden": ("赔付需要几张照片？", "3张", "4张"), "corrected": "青海每单运费35元，不包邮。",
        "contact": "微信 guoyuan88", "note": "想订六十箱，问问批发价", "resolution": "已回电，下周一发货",
        "season": "苹果采收", "channel": "小程序", "canned": ("问好", {"text_zh": "您好，我是{me}。"}), "comment": "回答得很清楚", "publish": "加上春节安排", "key": "进货程序", "person": "林小满",
    },
    "en": {
        "locale": "en", "business": "South Slope Orchard", "fresh": "Willow Tea House", "base": "Shop papers", "assistant": "Orchard help",
        "files": {"shipping_and_claims_en.pdf": "Shipping and claims", "faq_en.md": "Questions and answers"},
        "text": ("New Year", "We do not ship in the first five days of the New Year holiday."),
        "asked": ["How many photos does a claim need?", "Do you accept bitcoin?"],
        "approved": ("Can I pick up my order?", "Yes. Call one day ahead and collect it at the orchard gate."),
        "golden": ("How many photos does a claim need?", "three photos", "four photos"),
        "corrected": "Delivery to Qinghai costs 35 yuan an order.",
        "contact": "ann@shop.example", "note": "Sixty boxes, is there a wholesale price?", "resolution": "Called back",
        "season": "Apple harvest", "channel": "Shop app", "canned": ("Hello", {"text_en": "Hello, this is {me}."}), "comment": "Very clear", "publish": "New Year dates", "key": "Stock program", "person": "Ann Field",
    },
}  # fmt: skip
FILES = {file.path.name: file.path for plan in TENANTS for file in plan.files}
BROKEN = b"%PDF-1.7\nthis is no document"


def business_make(code: str) -> dict[str, Any]:
    words, owner = WORDS[code], demo_owner()
    actor = Actor.user(owner)
    tenant = tenant_create(
        name=words["business"], owner=owner, slug=f"pages-{code}", language=words["locale"]
    )
    with tenant_tx(tenant.id):
        base = knowledge_base_create(actor=actor, name=words["base"], language=words["locale"])
        documents = [_upload(actor, base, *pair) for pair in words["files"].items()]
        title, text = words["text"]
        document_add_text(actor=actor, knowledge_base=base, title=title, text=text)
        people = {role: _member(code, role, words["person"]) for role in ("staff", "viewer")}
        invitation, _ = invitation_create(
            actor=actor, email=f"new-{code}@shop.example", role=Role.STAFF, invited_by=owner
        )
        key, _ = api_key_create(actor=actor, name=words["key"], scopes=list(SCOPES)[:2])
        assistant = assistant_create(
            actor=actor, name=words["assistant"], template="shop", knowledge_base_ids=[base.id]
        )
        answer = approved_answer_create(
            actor=actor, assistant=assistant, question=words["approved"][0], answer=words["approved"][1]
        )  # fmt: skip
        assistant_publish(actor=actor, assistant=assistant)
        assistant_update(actor=actor, assistant=assistant, settings={"threshold": 0.4})
        assistant_publish(actor=actor, assistant=assistant, note=words["publish"])
        of_trades = trades(code) | desk(words, assistant, actor)
    ids = money(code, tenant, assistant, actor) | of_trades | {
        "base_id": base.id, "document_id": documents[0].id, "assistant_id": assistant.id,
        "answer_id": answer.id, "invitation_id": invitation.id, "key_id": key.id,
        "membership_id": people["staff"].id, "number": 1,
    }  # fmt: skip
    return {"tenant_id": tenant.id, "tenant_slug": tenant.slug, **ids}


def trades(code: str) -> dict[str, Any]:
    """Rows of each trade that is installed; its tests bring them in a module `seed`."""
    made: dict[str, Any] = {}
    for config in apps.get_app_configs():
        name = f"tests.apps.{config.label}.seed"
        if config.name.startswith("apps.") and importlib.util.find_spec(name):
            made |= importlib.import_module(name).seed(code)
    return made


def desk(words: dict[str, Any], assistant: Any, actor: Actor) -> dict[str, Any]:
    """A harvest with longer hours, a ready reply and a program that brings messages."""
    title, texts = words["canned"]
    season = season_save(
        actor=actor, name=words["season"], starts_on=date(2026, 10, 1), ends_on=date(2026, 12, 31),
        span=("06:00", "22:00"),
    )  # fmt: skip
    channel = connection_create(
        actor=actor, kind="rest", name=words["channel"], assistant=assistant, values={}, secrets={}
    )
    canned = canned_save(actor=actor, title=title, **texts)
    return {"season_id": season.id, "canned_id": canned.id, "channel_id": channel.id}


def money(code: str, tenant: Any, assistant: Any, actor: Actor) -> dict[str, Any]:
    """Usage of this month and of March, a budget, a bill and a program that listens."""
    now, march = timezone.now(), datetime(2026, 3, 10, tzinfo=UTC)
    who = {"assistant_id": str(assistant.id), "channel": "widget", "rung": "composed"}
    for day in range(6):
        moment = now - timedelta(days=day * 3)
        spend_at(tenant.id, moment, 40_000, 90_000, 30_000 * day, 0, busy_us=10**9, **who)
        spend_at(tenant.id, moment, 0, 50_000, 0, 0, kind="embedding", busy_us=10**8)
    spend_at(tenant.id, march, 100_000, 400_000, 90_000, 5_000, **who)
    rolled_up()
    with tenant_tx(tenant.id):
        budget = budget_set(actor=actor, scope_kind="tenant", cap_hard=Decimal(5))
        budget_set(actor=actor, scope_kind="visitor", scope_id="*", cap_hard=Decimal("0.5"))
        invoice = invoice_close(month=march.date())
        webhook = endpoint_create(actor=actor, url="https://shop.example/furrow", events=EVENTS)
        delivery = delivery_test(actor=actor, endpoint=webhook)
        adjustment_post(actor=actor, amount=Decimal(-2), note=WORDS[code]["comment"])
    machine_price_set(
        machine=f"gpu-{code}", currency="CNY", per_hour=Decimal("0.01"),
        valid_from=now - timedelta(days=20),
    )  # fmt: skip
    return {
        "budget_id": budget.id, "invoice_id": invoice.id, "webhook_id": webhook.id,
        "delivery_id": delivery.id,
    }  # fmt: skip


def talk(code: str, made: dict[str, Any]) -> None:
    """Asks what is known and what is not, once everything is read. Adds what comes of it."""
    words, tenant_id = WORDS[code], made["tenant_id"]
    _wait(tenant_id, Document, "ready", 3)
    with tenant_tx(tenant_id):
        actor = Actor.user(demo_owner())
        chunk = Chunk.objects.select_related("document").filter(document_id=made["document_id"])[0]
        made["chunk_id"] = chunk.id
        question = known_question_add(actor=actor, chunk=chunk, text=words["asked"][0])
        made["question_id"] = question.id
        group = synonym_group_save(actor=actor, words=[words["base"], words["assistant"]])
        made["synonyms_id"] = group.id
        assistant = Assistant.objects.get(id=made["assistant_id"])
        conversation = conversation_create(
            assistant=assistant, channel="widget", visitor_id="v1", language=words["locale"]
        )
        turns = [turn_create(conversation=conversation, text=text) for text in words["asked"]]
    _wait(tenant_id, Turn, "done", len(turns))
    with tenant_tx(tenant_id):
        feedback_set(turn=Turn.objects.get(id=turns[0].id), value=1, comment=words["comment"])
        old = ticket_open(conversation=conversation, contact=words["contact"], note=words["note"])
        ticket_close(actor=actor, ticket=old, resolution=words["resolution"])
        ticket = ticket_open(
            conversation=conversation, contact=words["contact"], note=words["note"]
        )
        # Last, so that the failed one stands on top of the list.
        base = Document.objects.get(id=made["document_id"]).knowledge_base
        document_upload(
            actor=actor, knowledge_base=base, file=BytesIO(BROKEN), file_name="broken.pdf",
            content_type="application/pdf", title=words["text"][0],
        )  # fmt: skip
        made |= {
            "conversation_id": conversation.id, "turn_id": turns[0].id, "ticket_id": ticket.id,
            "gap_id": Gap.objects.latest("last_asked_at").id,
        }  # fmt: skip
    _wait(tenant_id, Document, "failed", 1)
    examine(words, made, actor)


def examine(words: dict[str, Any], made: dict[str, Any], actor: Actor) -> None:
    """Golden questions that were asked three nights, a publication they stop, and a corrected passage."""
    question, right, wrong = words["golden"]
    with tenant_tx(made["tenant_id"]):
        assistant = Assistant.objects.select_related("published").get(id=made["assistant_id"])
        # The approved answer is surely right; the draft will do without it.
        golden = golden_create(
            actor=actor, assistant=assistant, question=words["approved"][0],
            facts=[[words["approved"][1]]],
        )  # fmt: skip
        golden_create(actor=actor, assistant=assistant, question=question, facts=[[right]])
        golden_create(actor=actor, assistant=assistant, question=words["asked"][1], facts=[[wrong]])
        nights = [
            run_create(assistant=assistant, kind="nightly", candidate=Subject.published(assistant))
            for _ in range(3)
        ]
        chunk = Chunk.objects.filter(document_id=made["document_id"])[1]
        with translation.override(words["locale"]):
            correction = correction_create(actor=actor, chunk=chunk, text=words["corrected"])
    _wait(made["tenant_id"], EvaluationRun, "done", 3, field="state")
    with tenant_tx(made["tenant_id"]):
        for days, night in enumerate(reversed(nights)):
            EvaluationRun.objects.filter(id=night.id).update(
                created_at=timezone.now() - timedelta(days=days)
            )
        assistant_update(actor=actor, assistant=assistant, rungs=["quoted"])
        check = publication_request(actor=actor, assistant=assistant).check
    _wait(made["tenant_id"], PublicationCheck, "blocked", 1, field="state")
    made |= {
        "golden_id": golden.id, "run_id": check.run_id, "check_id": check.id,
        "correction_id": correction.id, "kind": "turn", "case_id": made["turn_id"],
    }  # fmt: skip


def _upload(actor: Actor, base: Any, file_name: str, title: str) -> Document:
    with FILES[file_name].open("rb") as file:
        return document_upload(
            actor=actor, knowledge_base=base, file=file, file_name=file_name, title=title
        )


def _member(code: str, role: str, name: str) -> Membership:
    user = user_ensure(email=f"{role}-{code}@shop.example", name=name, is_verified=True)
    return Membership.objects.create(user=user, role=role)


def _wait(tenant_id: Any, model: Any, status: str, count: int, *, field: str = "status") -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        with tenant_tx(tenant_id):
            if model.objects.filter(**{field: status}).count() >= count:
                return
        time.sleep(0.1)
    raise TimeoutError(f"never {count} times {status}: {model.__name__}")


found = {}
for code in WORDS:
    with translation.override(WORDS[code]["locale"]):
        found[code] = business_make(code)
for code in WORDS:
    talk(code, found[code])
    tenant_create(
        name=WORDS[code]["fresh"],
        owner=demo_owner(),
        slug=f"fresh-{code}",
        language=WORDS[code]["locale"],
    )
sys.stdout.write(json.dumps(found, default=str))
