"""A shop with one row of everything, for pages that need something to show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from furrow.assistants import services as assistants
from furrow.assistants.evaluation.golden import golden_create
from furrow.assistants.evaluation.models import PublicationCheck
from furrow.assistants.evaluation.runs import Subject, run_create
from furrow.channels.deliveries import delivery_test
from furrow.channels.models import OutboundMessage, OutsideUser, Photo, Widget
from furrow.channels.outside.connections import connection_create
from furrow.channels.webhooks import EVENTS, endpoint_create
from furrow.conversations import services as conversations
from furrow.conversations.canned import canned_save
from furrow.conversations.models import Draft, Turn
from furrow.core.context import tenant_tx
from furrow.core.keys import file_key
from furrow.knowledge.models import (
    Chunk,
    Document,
    DocumentVersion,
    KnowledgeBase,
    PassageCorrection,
)
from furrow.knowledge.services.known import known_question_add
from furrow.knowledge.services.synonyms import synonym_group_save
from furrow.knowledge.storage import file_path
from furrow.metering.budgets import budget_set
from furrow.metering.invoices import invoice_close
from furrow.tenants.hours import season_save
from furrow.tenants.models import Membership
from furrow.tenants.services import Actor, api_key_create, invitation_create
from tests.replay import made_once

TEXT = "发货规则\n现货订单16:00前付款当天发货。\n售后规则\n坏果请在签收后24小时内拍照联系客服。"


@dataclass
class Shop:
    base: Any
    document: Any
    chunks: list[Any]
    assistant: Any
    approved: Any
    gap: Any
    conversation: Any
    turn: Any
    ticket: Any
    key: Any
    invitation: Any
    invitation_token: str
    membership: Any
    widget: Any
    golden: Any
    run: Any
    check: Any
    correction: Any
    budget: Any
    invoice: Any
    webhook: Any
    delivery: Any
    known_question: Any
    synonyms: Any
    draft: Any
    season: Any
    canned: Any
    channel: Any
    reply: Any
    photo: Any


@pytest.fixture
def shop(cast: Any) -> Shop:
    return made_once("dashboard", lambda: _shop(cast))


def _shop(cast: Any) -> Shop:
    with tenant_tx(cast.tenant.id):
        actor = Actor.user(cast.owner)
        rows = _knowledge(actor)
        for more in (_assistant, _conversation, _evaluation, _outside, _inbox):
            rows |= more(actor, SimpleNamespace(**rows))
        return Shop(**rows, **_business(actor, cast))


def _knowledge(actor: Actor) -> dict[str, Any]:
    base = KnowledgeBase.objects.create(name="店铺手册")
    document, chunks = read_document(base)
    replacement, _ = read_document(base, "发货与售后（更正）")
    Document.objects.filter(id=replacement.id).update(deleted_at=timezone.now())
    correction = PassageCorrection.objects.create(
        document=document, replacement=replacement, original=chunks[1].text, is_source_changed=True
    )
    return {
        "base": base,
        "document": document,
        "chunks": chunks,
        "correction": correction,
        "known_question": known_question_add(actor=actor, chunk=chunks[0], text="多久发货？"),
        "synonyms": synonym_group_save(actor=actor, words=["脐橙", "CG-01"]),
    }


def _assistant(actor: Actor, made: Any) -> dict[str, Any]:
    assistant = assistants.assistant_create(
        actor=actor, name="小助手", knowledge_base_ids=[made.base.id]
    )
    assistants.assistant_publish(actor=actor, assistant=assistant, note="first")
    return {
        "assistant": assistant,
        "approved": assistants.approved_answer_create(
            actor=actor, assistant=assistant, question="几点营业？", answer="早上八点。"
        ),
        "gap": assistants.gap_record(assistant=assistant, question="能开发票吗？"),
        "widget": Widget.objects.create(assistant=assistant),
    }


def _conversation(actor: Actor, made: Any) -> dict[str, Any]:
    conversation = conversations.conversation_create(assistant=made.assistant, channel="widget")
    turn = conversations.turn_create(conversation=conversation, text="多久发货？")
    answered(turn, made.document, made.chunks[0])
    return {
        "conversation": conversation,
        "turn": turn,
        "ticket": conversations.ticket_open(conversation=conversation, contact="138", note="坏果"),
        "photo": photo_made(conversation, turn),
    }


def _evaluation(actor: Actor, made: Any) -> dict[str, Any]:
    golden = golden_create(
        actor=actor, assistant=made.assistant, question="多久发货？", facts=[["当天"]],
        document_id=made.document.id,
    )  # fmt: skip
    draft = Subject.draft(made.assistant)
    run = run_create(assistant=made.assistant, kind="publish", candidate=draft, base=draft)
    check = PublicationCheck.objects.create(assistant=made.assistant, run=run, state="withdrawn")
    # Off, so that publishing stays one step where a test is about something else.
    golden.is_enabled = False
    golden.save()
    return {"golden": golden, "run": run, "check": check}


def _outside(actor: Actor, made: Any) -> dict[str, Any]:
    channel = connection_create(
        actor=actor, kind="rest", name="小程序", assistant=made.assistant, values={}, secrets={}
    )
    user = OutsideUser.objects.create(connection=channel, external_id="u-1", name="李女士")
    reply = OutboundMessage.objects.create(
        connection=channel, user=user, number=1, source="turn:1", author="assistant", text="您好。",
        state="failed", error_code="refused",
    )  # fmt: skip
    webhook = endpoint_create(actor=actor, url="https://shop.example.com/x", events=EVENTS)
    delivery = delivery_test(actor=actor, endpoint=webhook)
    return {"channel": channel, "reply": reply, "webhook": webhook, "delivery": delivery}


def _inbox(actor: Actor, made: Any) -> dict[str, Any]:
    return {
        "draft": Draft.objects.create(
            turn=made.turn, conversation=made.conversation, text="当天发货。", rung="quoted"
        ),
        "season": season_save(
            actor=actor, name="橙子采收", starts_on=date(2026, 11, 1), ends_on=date(2026, 12, 31),
            span=("06:00", "22:00"),
        ),
        "canned": canned_save(actor=actor, title="问好", text_zh="您好，我是{me}。"),
    }  # fmt: skip


def _business(actor: Actor, cast: Any) -> dict[str, Any]:
    invitation, token = invitation_create(
        actor=actor, email="new@example.test", role="staff", invited_by=cast.owner
    )
    return {
        "key": api_key_create(actor=actor, name="erp", scopes=["knowledge:read"])[0],
        "invitation": invitation,
        "invitation_token": token,
        "membership": Membership.objects.get(user=cast.viewer),
        "budget": budget_set(actor=actor, scope_kind="tenant", cap_hard=Decimal(50)),
        "invoice": invoice_close(month=date(2026, 1, 1)),
    }


def photo_made(conversation: Any, turn: Any) -> Photo:
    """A row with its file, without the reading."""
    photo = Photo(conversation=conversation, turn=turn, content_type="image/png", size_bytes=8)
    photo.file_key = file_key(conversation.tenant_id, "photos", photo.id)
    photo.width, photo.height, photo.sha256, photo.dhash = 4, 3, "0" * 64, "0" * 16
    path = file_path(photo.file_key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    photo.save()
    return photo


def read_document(base: Any, title: str = "发货与售后") -> tuple[Any, list[Any]]:
    """A document as it is after reading: one live version, two passages on two pages."""
    document = Document.objects.create(
        knowledge_base=base, title=title, status=Document.Status.READY
    )
    cut = TEXT.index("售后")
    version = DocumentVersion.objects.create(
        document=document,
        number=1,
        state=DocumentVersion.State.LIVE,
        file_name="rules.txt",
        text=TEXT,
        pages=[
            {"number": 1, "start": 0, "end": cut},
            {"number": 2, "start": cut, "end": len(TEXT)},
        ],
        page_count=2,
        chunk_count=2,
    )
    chunks = [
        Chunk.objects.create(
            knowledge_base=base,
            document=document,
            version=version,
            ordinal=ordinal,
            page=ordinal + 1,
            start=start,
            end=end,
            text=TEXT[start:end],
        )
        for ordinal, (start, end) in enumerate([(0, cut), (cut, len(TEXT))])
    ]
    document.live_version = version
    document.save()
    return document, chunks


def answered(turn: Any, document: Any, chunk: Any) -> None:
    turn.status, turn.rung, turn.answer = Turn.Status.DONE, "quoted", "当天发货。[1]"
    turn.citations = [
        {
            "n": 1,
            "document_id": str(document.id),
            "title": document.title,
            "page": 1,
            "quote": TEXT[5:20],
            "start": 5,
            "end": 20,
            "chunk_id": str(chunk.id),
        }
    ]
    turn.trace = [
        {"rung": "approved", "outcome": "passed", "reason": "no_match", "ms": 3},
        {"rung": "quoted", "outcome": "answered", "reason": "", "ms": 12},
    ]
    turn.finished_at = timezone.now() + timedelta(seconds=1)
    turn.save()


@pytest.fixture
def owner(cast: Any) -> Client:
    return cast.client(cast.owner)


@pytest.fixture
def english(owner: Client) -> Client:
    """The owner, reading English."""
    owner.cookies["django_language"] = "en"
    return owner


@pytest.fixture
def viewer(cast: Any) -> Client:
    return cast.client(cast.viewer)


@pytest.fixture
def page(cast: Any) -> Callable[..., str]:
    """The address of a page of the first tenant."""

    def address(name: str, *args: Any) -> str:
        return reverse(f"dashboard:{name}", args=[cast.tenant.slug, *args])

    return address
