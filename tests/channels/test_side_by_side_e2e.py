"""A shopper and the staff, each with a phone, in one conversation: the real widget beside the real inbox."""

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright

from furrow.accounts.models import User
from furrow.conversations.models import Csat, Handoff, Message
from furrow.core.context import tenant_tx
from furrow.tenants.models import Membership, Role
from tests.channels.test_widget_e2e import Street, in_thread, street  # noqa: F401  a fixture by name

# Static files of the inbox come from the test server itself; in production a server for files gives them out.
FILES_WARNING = "ignore:StreamingHttpResponse must consume synchronous iterators"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings(FILES_WARNING),
]
expect.set_options(timeout=20_000)

SCREENSHOTS = Path(__file__).parents[2] / "var" / "screenshots"
PHONE = {"width": 390, "height": 844}
WORDS = {
    "zh": {
        "locale": "zh-CN", "open": "打开客服对话", "field": "消息内容", "wish": "我要投诉，找你们负责人",
        "take": "接手", "box": "您的消息", "send": "发送", "note": "记为备注", "back": "交回助手", "done": "完成",
        "claim": "昨天到的桃子烂了三个，订单 20261125001", "reply": "您好，我来处理，请拍一张面单的照片。",
        "second": "收到，马上给您补发。", "secret": "老客户，优先处理", "question": "黄桃的售后时限是多久",
        "answer": "签收后12小时", "glad": "满意", "late": "由 Lin 接待",
    },
    "en": {
        "locale": "en-GB", "open": "Open the chat", "field": "Your message", "wish": "This bot is useless, get me someone",
        "take": "Take over", "box": "Your message", "send": "Send", "note": "Keep as a note", "back": "Hand back", "done": "Done",
        "claim": "Three peaches of order 20261125001 arrived rotten", "reply": "Hello, I will look after it. Please send a photo of the label.",
        "second": "Thank you, a new box leaves today.", "secret": "good customer, be quick", "question": "How long are claim photos kept?",
        "answer": "kept for 12 months", "glad": "Good", "late": "has this conversation now",
    },
}  # fmt: skip


@dataclass
class Desk:
    """The phones: one shopper's, two members'."""

    shopper: Page
    first: Page
    second: Page
    words: dict[str, str]
    language: str

    def shoot(self, page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"inbox-{name}-{self.language}-390.png"
        page.screenshot(path=path, animations="disabled")


def member_make(tenant: Any, name: str, language: str) -> str:
    """A member of the staff, signed in; the session's cookie."""
    user = User.objects.create(
        email=f"{name.lower()}-{language}@example.test", name=name, language=language
    )
    with tenant_tx(tenant.id):
        Membership.objects.create(user=user, role=Role.STAFF)
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


@pytest.fixture(params=["zh", "en"])
def desk(street: Street, request: Any) -> Iterator[Desk]:  # noqa: F811  a fixture by name
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium was found; install the distribution's chromium package")
    words, language = WORDS[request.param], {"zh": "zh-hans", "en": "en"}[request.param]
    cookies = [member_make(street.tenant, name, language) for name in ("Lin", "Wang")]
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])

        def phone(cookie: str = "") -> Page:
            context = browser.new_context(
                locale=words["locale"],
                viewport=PHONE,
                has_touch=True,
                is_mobile=True,
                # A picture taken between two pages would abort the browser's transition, an error of its own.
                reduced_motion="reduce",
            )
            if cookie:
                host = urlsplit(street.host_url)
                values = {"sessionid": cookie, "django_language": language}
                context.add_cookies(
                    [
                        {"name": n, "value": v, "domain": host.hostname, "path": "/"}
                        for n, v in values.items()
                    ]
                )
            page = context.new_page()
            page.set_default_timeout(30_000)
            page.on("pageerror", lambda error: problems.append(str(error)))
            return page

        yield Desk(phone(), phone(cookies[0]), phone(cookies[1]), words, request.param)
        browser.close()
    assert not problems


def said(page: Page) -> Any:
    return page.locator("furrow-widget article.staff .text")


def ask(desk: Desk, text: str) -> None:
    field = desk.shopper.get_by_role("textbox", name=desk.words["field"])
    field.fill(text)
    field.press("Enter")


def reply(desk: Desk, page: Page, text: str, button: str = "send") -> None:
    page.get_by_label(desk.words["box"]).fill(text)
    page.get_by_role("button", name=desk.words[button], exact=True).click()


def _open(desk: Desk) -> None:
    desk.shopper.get_by_role("button", name=re.compile("打开客服对话|Open the chat")).click()


def _switch(desk: Desk) -> None:
    """The page is Chinese; an English shopper switches the widget, which remembers it."""
    if desk.language == "en":
        desk.shopper.get_by_role("button", name="Switch to English").click()


def test_two_members_and_a_shopper_side_by_side(street, desk):  # noqa: F811
    _shopper_asks_for_a_person(street, desk)
    _member_takes_over(desk)
    _both_sides_meet_live(desk)
    _second_member_is_told(desk)
    _shopper_loses_nothing_off_the_line(desk)
    _assistant_has_it_again(desk)
    _shopper_is_asked_how_it_was(desk)
    words = desk.words
    assert _kept_soon(street) == ([words["reply"], words["second"]], [3], 2)


def _shopper_asks_for_a_person(street: Street, desk: Desk) -> None:  # noqa: F811
    desk.first.goto(f"{street.host_url}/t/{street.tenant.slug}/inbox/")
    desk.shopper.goto(street.page_url)
    _open(desk)
    _switch(desk)
    ask(desk, desk.words["wish"])
    expect(desk.shopper.locator("furrow-widget article.answer .tools").last).to_be_visible()


def _member_takes_over(desk: Desk) -> None:
    """The queue asks again by itself: nobody loads the page anew."""
    row = desk.first.locator(".talk-row", has_text=desk.words["wish"])
    expect(row).to_be_visible()
    desk.shoot(desk.first, "queue")
    row.click()
    desk.first.get_by_role("button", name=desk.words["take"]).click()
    expect(desk.shopper.locator("furrow-widget article.event").last).to_contain_text("Lin")


def _both_sides_meet_live(desk: Desk) -> None:
    """The assistant is silent now; a note stays with the members."""
    words, shopper, lin = desk.words, desk.shopper, desk.first
    desk.second.goto(lin.url)
    ask(desk, words["claim"])
    expect(lin.locator(".said.visitor").last).to_contain_text(words["claim"])
    reply(desk, lin, words["reply"])
    expect(said(shopper)).to_have_text([words["reply"]])
    reply(desk, lin, words["secret"], "note")
    expect(lin.locator(".said.note")).to_contain_text(words["secret"])
    desk.shoot(lin, "talk")
    desk.shoot(shopper, "shopper")


def _second_member_is_told(desk: Desk) -> None:
    """And keeps the text."""
    wang = desk.second
    reply(desk, wang, "me too")
    expect(wang.get_by_role("alert")).to_contain_text(desk.words["late"])
    expect(wang.get_by_label(desk.words["box"])).to_have_value("me too")
    desk.shoot(wang, "too-late")


def _shopper_loses_nothing_off_the_line(desk: Desk) -> None:
    """What was written meanwhile comes once, and in order; the assistant said nothing since it was silenced."""
    words, shopper = desk.words, desk.shopper
    answers = shopper.locator("furrow-widget article.answer").count()
    shopper.context.set_offline(True)
    reply(desk, desk.first, words["second"])
    expect(desk.first.locator(".said.staff")).to_have_count(2)
    shopper.context.set_offline(False)
    expect(said(shopper)).to_have_text([words["reply"], words["second"]])
    shopper.reload()
    _open(desk)
    expect(said(shopper)).to_have_text([words["reply"], words["second"]])
    expect(shopper.locator("furrow-widget")).not_to_contain_text(words["secret"])
    assert shopper.locator("furrow-widget article.answer").count() == answers


def _assistant_has_it_again(desk: Desk) -> None:
    desk.first.get_by_role("button", name=desk.words["back"]).click()
    ask(desk, desk.words["question"])
    expect(desk.shopper.locator("furrow-widget article.answer .text").last).to_contain_text(
        desk.words["answer"]
    )


def _shopper_is_asked_how_it_was(desk: Desk) -> None:
    desk.first.get_by_role("button", name=desk.words["take"]).click()
    desk.first.get_by_role("button", name=desk.words["done"], exact=True).click()
    desk.shopper.get_by_role("button", name=desk.words["glad"], exact=True).click()
    expect(desk.shopper.locator("furrow-widget .csat[role=status]")).to_be_visible()
    desk.shoot(desk.shopper, "csat")


def _kept_soon(street: Street) -> tuple[list[str], list[int], int]:  # noqa: F811
    """The thanks are shown at once, while the score is still on its way."""
    deadline = time.monotonic() + 10
    while not in_thread(lambda: _kept(street))[1] and time.monotonic() < deadline:
        time.sleep(0.1)
    return in_thread(lambda: _kept(street))


def _kept(street: Street) -> tuple[list[str], list[int], int]:  # noqa: F811
    with tenant_tx(street.tenant.id):
        replies = Message.objects.filter(kind="staff").order_by("number")
        return (
            list(replies.values_list("text", flat=True)),
            list(Csat.objects.values_list("score", flat=True)),
            Handoff.objects.count(),
        )
