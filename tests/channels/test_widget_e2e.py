"""The real widget on a page of another origin, against the real server, worker and database."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from playwright.sync_api import Page, expect, sync_playwright

from furrow.assistants.services import assistant_create, assistant_publish
from furrow.channels.models import Widget
from furrow.channels.services import widget_ensure, widget_update
from furrow.conversations.models import Conversation, Ticket
from furrow.core.context import tenant_tx
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.documents import document_upload
from furrow.ops.demo.manifest import TENANTS
from furrow.ops.demo_site import DemoSite
from furrow.tenants.models import Tenant
from furrow.tenants.services import SYSTEM, tenant_create
from tests.channels.conftest import run_jobs
from tests.channels.live import committed_rows, serving_django, working
from tests.channels.widget_js.conftest import serving

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SCREENSHOTS = Path(__file__).parents[2] / "var" / "screenshots"
FILES = ("shipping_and_claims.pdf", "shipping_and_claims_en.pdf", "faq_zh.md")


@dataclass
class Street:
    """A shop's page on one port, Furrow on another."""

    page_url: str
    host_url: str
    tenant: Tenant
    widget: Widget


def orchard_make() -> tuple[Tenant, Widget]:
    plan = next(plan for plan in TENANTS if plan.slug == "orchard")
    wanted = plan.assistants[0]
    tenant = tenant_create(name=plan.name_zh, slug="e2e-orchard")
    with tenant_tx(tenant.id):
        base = knowledge_base_create(actor=SYSTEM, name="Orchard")
        for file in plan.files:
            if file.name in FILES:
                with file.path.open("rb") as handle:
                    document_upload(
                        actor=SYSTEM,
                        knowledge_base=base,
                        file=handle,
                        file_name=file.path.name,
                        title=file.title,
                    )
    run_jobs("ingest")
    with tenant_tx(tenant.id):
        assistant = assistant_create(
            actor=SYSTEM,
            name=wanted.name,
            template="shop",
            knowledge_base_ids=[base.id],
            settings={
                "greeting": {"zh": wanted.greeting_zh, "en": wanted.greeting_en},
                "suggestions": {
                    "zh": list(wanted.suggestions_zh),
                    "en": list(wanted.suggestions_en),
                },
                "human": {"enabled": True, "contact": "", "hours": "9:00–18:00"},
            },
        )
        assistant_publish(actor=SYSTEM, assistant=assistant)
        return tenant, widget_ensure(assistant=assistant)


@pytest.fixture
def street(
    django_db_setup: None, django_db_blocker: Any, settings: Any, tmp_path: Path
) -> Iterator[Street]:
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    key_path = tmp_path / "key"
    with committed_rows(django_db_blocker), ExitStack() as running:
        tenant, widget = orchard_make()
        key_path.write_text(widget.public_key)
        host = running.enter_context(serving_django())
        site = partial(DemoSite, furrow_url=host, key_path=key_path)
        page_url = running.enter_context(serving(site))
        with tenant_tx(tenant.id):
            widget_update(actor=SYSTEM, widget=widget, allowed_origins=[page_url])
        connections.close_all()
        running.enter_context(working())
        yield Street(page_url, host, tenant, widget)


@pytest.fixture(params=[390, 1280])
def page(street: Street, request: Any) -> Iterator[Page]:
    """Begins after the rows are made: while a browser lives, this thread may not touch the database."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium was found; install the distribution's chromium package")
    size = {"width": request.param, "height": 844 if request.param < 600 else 860}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_context(locale="zh-CN", viewport=size).new_page()
        page.set_default_timeout(20_000)
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        yield page
        browser.close()
    assert not problems


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"widget-{name}-{page.viewport_size['width']}.png"
    page.screenshot(path=path, animations="disabled")


def ask(page: Page, text: str, expected: str) -> None:
    page.get_by_role("textbox", name="消息内容").fill(text)
    page.get_by_role("textbox", name="消息内容").press("Enter")
    expect(page.locator("furrow-widget article.answer .text").last).to_contain_text(expected)
    expect(page.locator("furrow-widget article.answer .tools").last).to_be_visible()


def in_thread(work: Any) -> Any:
    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def tickets_of(street: Street) -> list[tuple[str, str]]:
    with tenant_tx(street.tenant.id):
        return list(Ticket.objects.values_list("contact", "conversation__state"))


def switch_off(street: Street) -> None:
    with tenant_tx(street.tenant.id):
        widget_update(actor=SYSTEM, widget=street.widget, is_enabled=False)


def test_visitor_asks_in_two_languages_opens_a_source_and_reaches_a_person(street, page):
    page.goto(street.page_url)
    page.get_by_role("button", name="打开客服对话").click()
    expect(page.get_by_text("您可以问")).to_be_visible()
    shoot(page, "opening")

    ask(page, "黄桃的售后时限是多久", "签收后12小时")
    shoot(page, "answer-zh")
    ask(page, "How long are claim photos kept?", "kept for 12 months")
    shoot(page, "answer-en")

    page.get_by_role("button", name="查看出处 1：Shipping and claims policy").last.click()
    marked = page.locator("furrow-widget .passage mark")
    expect(marked).to_contain_text("kept for 12 months")
    expect(page.get_by_role("dialog", name="出处 1")).to_contain_text("第 5 页")
    expect(page.locator("furrow-widget .passage")).to_contain_text("…")
    shoot(page, "source")
    page.get_by_role("button", name="返回").click()

    page.get_by_role("button", name="转人工客服").click()
    page.get_by_label("电话、微信或邮箱").fill("138 0000 0000")
    shoot(page, "handoff")
    page.get_by_role("button", name="请求人工").click()
    expect(page.get_by_text("会尽快联系您").first).to_be_visible()
    shoot(page, "handed-over")
    assert in_thread(partial(tickets_of, street)) == [("138 0000 0000", Conversation.State.WAITING)]

    page.reload()
    page.get_by_role("button", name="打开客服对话").click()
    expect(page.locator("furrow-widget article.answer .text")).to_have_count(2)
    in_thread(partial(switch_off, street))
    page.reload()
    page.get_by_role("button", name="打开客服对话").click()
    expect(page.get_by_text("本网站尚未启用该助手")).to_be_visible()
