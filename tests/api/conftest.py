"""Rows of the first tenant that the API tests read, change and hide from strangers."""

import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from furrow.assistants.evaluation.gate import publication_request
from furrow.assistants.evaluation.golden import golden_create
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
from furrow.conversations.services import conversation_create, turn_create
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.knowledge.models import Chunk
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.documents import document_add_text
from furrow.knowledge.services.known import known_question_add
from furrow.knowledge.services.synonyms import synonym_group_save
from furrow.metering.budgets import budget_set
from furrow.metering.invoices import invoice_close
from furrow.tenants.services import SYSTEM
from tests.replay import made_once

POLICY = (
    "# 售后政策\n\n收到坏果请在签收后 24 小时内拍照联系我们。\n\n"
    "# Shipping\n\nOrders over 99 yuan ship free to all provinces except Tibet."
)


@dataclass
class World:
    """One of everything a tenant can have, ready and answered."""

    base: Any
    document: Any
    assistant: Any
    approved: Any
    conversation: Any
    turn: Any
    budget: Any
    invoice: Any
    golden: Any
    evaluation: Any
    check: Any
    webhook: Any
    channel: Any
    delivery: Any
    synonyms: Any
    known: Any
    canned: Any


def run_all_jobs(lane: str) -> None:
    for _ in range(50):
        if not jobs.run_next(lane):
            return


@pytest.fixture
def world(cast: Any) -> World:
    return made_once("api", lambda: _world(cast))


def _world(cast: Any) -> World:
    with tenant_tx(cast.tenant.id):
        base = knowledge_base_create(actor=SYSTEM, name="Policies")
        document = document_add_text(
            actor=SYSTEM, knowledge_base=base, title="售后政策", text=POLICY, external_id="policy"
        )
    run_all_jobs("ingest")
    with tenant_tx(cast.tenant.id):
        assistant = assistant_create(
            actor=SYSTEM, name="Helper", template="shop", knowledge_base_ids=[base.id]
        )
        approved = approved_answer_create(
            actor=SYSTEM, assistant=assistant, question="你们周末营业吗？", answer="周末照常营业。"
        )
        assistant_publish(actor=SYSTEM, assistant=assistant)
        conversation = conversation_create(assistant=assistant, channel="api")
        turn = turn_create(conversation=conversation, text="坏果怎么赔？")
    run_all_jobs("chat")
    with tenant_tx(cast.tenant.id):
        golden = golden_create(
            actor=SYSTEM, assistant=assistant, question="坏果多久内联系？", facts=[["24小时"]]
        )
        assistant_update(actor=SYSTEM, assistant=assistant, settings={"threshold": 0.3})
        check = publication_request(actor=SYSTEM, assistant=assistant).check
        budget = budget_set(
            actor=SYSTEM, scope_kind="assistant", scope_id=str(assistant.id), cap_hard=Decimal(7)
        )
        invoice = invoice_close(month=date(2026, 1, 1))
        webhook = endpoint_create(actor=SYSTEM, url="https://shop.example.com/", events=EVENTS)
        delivery = delivery_test(actor=SYSTEM, endpoint=webhook)
        channel = connection_create(
            actor=SYSTEM, kind="rest", name="App", assistant=assistant, values={}, secrets={}
        )
        synonyms = synonym_group_save(actor=SYSTEM, words=["坏果", "烂果"])
        chunk = Chunk.objects.filter(document=document).order_by("ordinal")[0]
        known = known_question_add(actor=SYSTEM, chunk=chunk, text="坏果找谁？")
        canned = canned_save(actor=SYSTEM, title="问好", text_zh="您好")
    return World(
        base,
        document,
        assistant,
        approved,
        conversation,
        turn,
        budget,
        invoice,
        golden,
        check.run,
        check,
        webhook,
        channel,
        delivery,
        synonyms,
        known,
        canned,
    )


def post(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.post(
        f"/api/v1{path}", data=body, content_type="application/json", headers=headers or None
    )


def upload(client: Client, path: str, name: str, content: bytes, **fields: str) -> Any:
    file = io.BytesIO(content)
    file.name = name
    return client.post(f"/api/v1{path}", data={"file": file, **fields})
