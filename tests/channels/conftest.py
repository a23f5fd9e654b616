"""A published assistant with a widget on one site, and visitors who talk to it over HTTP as a browser would."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from furrow.assistants.services import (
    approved_answer_create,
    assistant_create,
    assistant_publish,
    assistant_update,
)
from furrow.channels.models import Widget
from furrow.channels.services import widget_ensure, widget_update
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.documents import document_add_text
from furrow.tenants.models import Tenant
from furrow.tenants.services import SYSTEM
from tests.replay import made_once

SITE = "https://shop.example"
QUESTION = "坏果怎么赔？"
POLICY = (
    "# 售后政策\n\n感谢您在山里果园下单。\n\n收到坏果请在签收后 24 小时内拍照联系我们，我们按坏果数量赔付。\n\n"
    "# Shipping\n\nWe pack every afternoon. Orders over 99 yuan ship free to all provinces except Tibet."
    " Parcels leave the next morning."
)


def run_jobs(lane: str = "chat") -> None:
    while jobs.run_next(lane):
        pass


@dataclass
class Shop:
    """One tenant's widget and what stands behind it."""

    tenant: Tenant
    widget: Widget
    assistant: Any
    document: Any = None

    def change(self, **changes: Any) -> None:
        with tenant_tx(self.tenant.id):
            widget_update(actor=SYSTEM, widget=self.widget, **changes)


def shop_make(tenant: Tenant) -> Shop:
    """Without documents, which most tests do not need: `shop_stock` brings one."""
    with tenant_tx(tenant.id):
        assistant = assistant_create(
            actor=SYSTEM,
            name="Helper",
            template="shop",
            settings={
                "greeting": {"zh": "您好，果园客服。", "en": "Hello from the orchard."},
                "suggestions": {"zh": [QUESTION], "en": ["Is shipping free?"]},
                "human": {"enabled": True, "contact": "微信 orchard", "hours": "9:00-18:00"},
            },
        )
        approved_answer_create(
            actor=SYSTEM, assistant=assistant, question="你们周末营业吗？", answer="周末照常营业。"
        )
        assistant_publish(actor=SYSTEM, assistant=assistant)
        widget = widget_ensure(assistant=assistant)
        widget_update(actor=SYSTEM, widget=widget, allowed_origins=[SITE])
    return Shop(tenant, widget, assistant)


def shop_stock(shop: Shop) -> Shop:
    with tenant_tx(shop.tenant.id):
        base = knowledge_base_create(actor=SYSTEM, name="Policies")
        shop.document = document_add_text(
            actor=SYSTEM, knowledge_base=base, title="售后政策", text=POLICY
        )
        assistant_update(actor=SYSTEM, assistant=shop.assistant, knowledge_base_ids=[base.id])
        assistant_publish(actor=SYSTEM, assistant=shop.assistant)
    run_jobs("ingest")
    return shop


@dataclass
class Visitor:
    """A browser tab: what it sends and what it keeps. `call` gives the raw response."""

    widget: Widget
    origin: str = SITE
    lang: str = "zh"
    token: str = ""
    known_as: str = ""
    client: Client = field(default_factory=Client)

    def enter(self) -> Any:
        body = {
            "assistant": self.widget.public_key,
            "lang": self.lang,
            "page_url": f"{self.origin}/apples",
            **({"visitor": self.known_as} if self.known_as else {}),
        }
        response = self.call("POST", "sessions", body, token="")
        if response.status_code == 201:
            self.token, self.known_as = response.json()["token"], response.json()["visitor"]
        return response

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        **headers: str,
    ) -> Any:
        bearer = self.token if token is None else token
        sent = {"Origin": self.origin, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        data = body if isinstance(body, bytes | str) else json.dumps(body if body else {})
        return self.client.generic(
            method,
            f"/widget/api/{path}",
            data if method == "POST" else "",
            content_type="application/json",
            headers={name: value for name, value in sent.items() if value},
        )

    def ask(self, text: str = QUESTION, key: str = "") -> Any:
        return self.call("POST", "messages", {"text": text}, Idempotency_Key=key)

    def answered(self, text: str = QUESTION) -> str:
        """Asks and lets the worker answer; the turn's id."""
        turn_id = str(self.ask(text).json()["turn_id"])
        run_jobs()
        return turn_id

    def history(self) -> Any:
        return self.call("GET", "conversation").json()


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture
def shop(cast: Any, settings: Any) -> Shop:
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    return made_once("channels", lambda: shop_make(cast.tenant))


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """The shop with a document to quote from."""
    return made_once("channels, stocked", lambda: shop_stock(shop))


@pytest.fixture
def rival(cast: Any, shop: Shop) -> Shop:
    return shop_make(cast.other_tenant)


@pytest.fixture
def visitor(shop: Shop) -> Visitor:
    visitor = Visitor(shop.widget)
    assert visitor.enter().status_code == 201
    return visitor
