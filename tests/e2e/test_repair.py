"""The repair page at phone width: every way to mend an answer, then the same question again."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.conftest import OWNER, SHOTS, Furrow, sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
WORDS = {
    "zh": {
        "near": "请问可以上门自己提货吗", "known": "可以上门自提吗？", "same": "意思一样", "again": "再问一次",
        "synonym": "添加同义词", "write": "自己写答案", "approve": "批准这个答案", "add": "添加",
        "correct": "更正这段文字", "use": "用这段文字", "answer": "比特币不收，微信和支付宝都行。",
        "gate": "果园门口取货",
    },
    "en": {
        "near": "May I come and pick up the order myself?", "known": "Can I pick up my order?",
        "same": "It means the same", "again": "Ask again", "synonym": "Add a synonym",
        "write": "Write the answer yourself", "approve": "Approve this answer", "add": "Add",
        "correct": "Correct the text", "use": "Use these words",
        "answer": "No bitcoin; bank cards and WeChat Pay.", "gate": "collect it at the orchard gate",
    },
}  # fmt: skip
ASK = """
from furrow.core.context import tenant_tx
from furrow.assistants.models import DEFAULT_RUNGS, Assistant
from furrow.conversations.models import Conversation
from furrow.conversations.services import turn_create
with tenant_tx("{tenant_id}"):
    Assistant.objects.filter(id="{assistant_id}").update(rungs=DEFAULT_RUNGS)
    conversation = Conversation.objects.get(id="{conversation_id}")
    print(turn_create(conversation=conversation, text={text!r}).id)
"""


@pytest.fixture(params=["zh", "en"])
def language(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def phone(browser: Any, furrow: Furrow, language: str) -> Iterator[Any]:
    context = browser.new_context(
        **PHONE, reduced_motion="reduce", locale={"zh": "zh-CN", "en": "en-GB"}[language]
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    sign_in(page, furrow, OWNER, language=language)
    yield page
    context.close()


def shots(page: Any, name: str) -> None:
    """At phone and desktop width, light and dark."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            # Loaded anew: a page that changes its colours in place is pictured half way.
            page.reload()
            page.screenshot(path=str(SHOTS / f"{name}-{width}-{scheme}.png"))
    page.set_viewport_size(PHONE["viewport"])
    page.emulate_media(color_scheme="light")
    page.reload()


def open_answered(page: Any, url: str) -> None:
    """The repair page of a turn, once its worker has answered it."""
    page.goto(url)
    said = page.locator("#try .side").first.locator(".bubble.answered")
    for _ in range(60):
        if said.inner_text().strip() != "…":
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError("no answer came")


def ask_again(page: Any, words: dict[str, str]) -> Any:
    """The new try, with its answer."""
    page.locator("#try").get_by_role("button", name=words["again"]).tap()
    expect(page.locator("#try .side").nth(1).locator(".bubble.answered")).to_be_visible(
        timeout=60_000
    )
    return page.locator("#try .side").nth(1)


def test_owner_mends_an_answer_on_a_phone(
    phone: Any, furrow: Furrow, rows: Any, language: str
) -> None:
    made, words = rows[language], WORDS[language]
    text = ASK.format(text=words["near"], **made)
    turn_id = furrow.manage("shell", "--no-imports", "-c", text).split()[-1]
    url = f"{furrow.url}/t/{made['tenant_slug']}/repair/turn/{turn_id}/"
    open_answered(phone, url)
    shots(phone, f"repair-{language}")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    found = Axe().run(phone).response["violations"]
    serious = [each for each in found if each["impact"] in {"serious", "critical"}]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []

    # A synonym: the form keeps the owner's words and leads on.
    phone.locator("summary", has_text=words["synonym"]).tap()
    phone.locator("#repair-words").fill("自提, 自取" if language == "zh" else "pick up, collect")
    phone.locator("form", has=phone.locator("#repair-words")).get_by_role(
        "button", name=words["add"]
    ).tap()
    phone.wait_for_url(re.compile("synonyms"))
    expect(phone.locator("main")).to_contain_text("自取" if language == "zh" else "collect")

    # A passage in the owner's words.
    phone.goto(url)
    passage = phone.locator("article.card").first
    passage.locator("summary", has_text=words["correct"]).tap()
    passage.locator("textarea").fill(
        "自提请到果园门口。" if language == "zh" else "Collect it at the gate."
    )
    passage.get_by_role("button", name=words["use"]).tap()
    phone.wait_for_url(url)

    # Another wording of what is answered already: the same question gets that answer.
    phone.locator("form", has=phone.locator("button[name=answer]")).first.get_by_role(
        "button", name=words["same"]
    ).tap()
    phone.wait_for_url(url)
    assert words["gate"] in ask_again(phone, words).inner_text()
    shots(phone, f"repair-again-{language}")

    # An answer of the owner's own, for another question that nobody could answer.
    phone.goto(f"{furrow.url}/t/{made['tenant_slug']}/gaps/")
    shots(phone, f"gaps-{language}")
    text = ASK.format(
        text="比特币能付钱吗" if language == "zh" else "Can I pay with bitcoin?", **made
    )
    other = furrow.manage("shell", "--no-imports", "-c", text).split()[-1]
    open_answered(phone, f"{furrow.url}/t/{made['tenant_slug']}/repair/turn/{other}/")
    phone.locator("summary", has_text=words["write"]).tap()
    phone.locator("#repair-answer").fill(words["answer"])
    phone.get_by_role("button", name=words["approve"]).tap()
    assert words["answer"] in ask_again(phone, words).inner_text()
    phone.goto(f"{furrow.url}/t/{made['tenant_slug']}/answers/{made['answer_id']}/")
    shots(phone, f"answer-{language}")
