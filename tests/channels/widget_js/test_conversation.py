"""What a visitor does: ask, read, open a source, rate, reach a person, come back."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.channels.widget_js.conftest import answer_events

pytestmark = pytest.mark.e2e
QUESTION = "How long can I claim?"
ANSWER = "Claims are taken within 48 hours of delivery."


def start(page: Any, label: str = "Open the chat") -> Any:
    page.get_by_role("button", name=label).click()
    expect(page.get_by_role("textbox")).to_be_focused()
    return page


def ask(page: Any, text: str = QUESTION) -> None:
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")


def test_nothing_is_fetched_before_the_first_press(shop, backend):
    page = shop.open()
    page.get_by_role("button", name="Open the chat").hover()
    page.wait_for_timeout(300)
    assert [path.split("?")[0] for path in backend.assets] == ["/widget/v1.js"]
    assert backend.calls == []
    start(page)
    expect(page.get_by_text("Hello! Ask us about apples")).to_be_visible()
    app = [path for path in backend.assets if "/app" in path]
    assert len(app) > 1
    assert all(re.search(r"\?v=[0-9a-f]{10}$", path) for path in app)


def test_visitor_asks_in_english_and_opens_the_source(shop, backend):
    page = start(shop.open())
    ask(page)
    article = page.get_by_role("article").last
    expect(article).to_contain_text(ANSWER)
    expect(article).to_contain_text("AI assistant")
    expect(article).to_contain_text("page 3")
    page.get_by_role("button", name="Open source 1: Shipping and claims.pdf").first.click()
    panel = page.get_by_role("dialog", name="Source 1")
    expect(panel.locator("mark")).to_have_text(ANSWER)
    expect(panel).to_contain_text("🍎 Before.")
    session = backend.made("POST", "/widget/api/sessions")[0]
    assert session.headers["origin"] == shop.origin
    assert session.body == {"assistant": "pub_1", "lang": "en", "page_url": f"{shop.origin}/"}


def test_tap_on_what_was_meant_asks_it_word_for_word(shop, backend):
    meant = "How do I get a member card?"
    backend.answers["my card is lost"] = answer_events(
        "I am not sure which one you mean.", suggestions=(meant, "Is parking free?")
    )
    page = start(shop.open())
    ask(page, "my card is lost")
    offered = page.get_by_role("group", name="Did you mean")
    expect(offered.get_by_role("button")).to_have_text([meant, "Is parking free?"])
    offered.get_by_role("button", name=meant).click()
    expect(page.get_by_role("article").last).to_contain_text(ANSWER)
    assert [turn.text for turn in backend.turns] == ["my card is lost", meant]
    page.reload()
    start(page)
    expect(page.get_by_role("group", name="Did you mean")).to_be_visible()


def test_visitor_asks_in_chinese_from_the_language_of_the_page(shop, backend):
    backend.config |= {
        "name": "坡上果园",
        "greeting": "您好！",
        "suggestions": ["多久内可以理赔？"],
    }
    backend.answers["多久内可以理赔？"] = [
        ("answer", {"rung": "approved", "text": "签收后48小时内。"}),
        ("done", {}),
    ]
    page = start(shop.open(lang="zh-CN"), "打开客服对话")
    page.get_by_role("button", name="多久内可以理赔？").click()
    expect(page.get_by_role("article").last).to_contain_text("签收后48小时内。")
    expect(page.get_by_role("article").last).to_contain_text("店家核准的回答")
    assert backend.made("POST", "/widget/api/sessions")[0].body["lang"] == "zh"


def test_chosen_language_is_remembered(shop):
    page = start(shop.open())
    page.get_by_role("button", name="切换到中文").click()
    expect(page.get_by_role("button", name="转人工客服")).to_be_visible()
    page.reload()
    start(page, "打开客服对话")
    expect(page.get_by_role("button", name="转人工客服")).to_be_visible()


def test_progress_is_told_while_the_answer_is_made(shop, backend):
    backend.gate.clear()
    page = start(shop.open())
    ask(page)
    expect(page.get_by_text("In the queue…").first).to_be_visible()
    expect(page.get_by_role("article").last).to_have_attribute("aria-busy", "true")
    backend.gate.set()
    expect(page.get_by_role("article").last).to_contain_text(ANSWER)
    expect(page.get_by_role("article").last).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_text("The answer is ready.")).to_be_attached()


def test_withdrawn_text_leaves_before_the_next_attempt_speaks(shop, backend):
    # It ends in an error, so that no whole answer can paint over what was left standing.
    backend.answers[QUESTION] = [
        ("delta", {"text": "An unsupported start"}),
        ("reset", {}),
        ("delta", {"text": "A second attempt"}),
        ("error", {"code": "answer"}),
    ]
    page = start(shop.open())
    ask(page)
    article = page.get_by_role("article").last
    expect(article).to_contain_text("A second attempt")
    expect(article).not_to_contain_text("An unsupported start")


def test_rating_and_its_comment_reach_the_server(shop, backend):
    page = start(shop.open())
    ask(page)
    page.get_by_role("button", name="Not helpful").click()
    expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("textbox", name="What was wrong?").fill("It is 24 hours")
    with page.expect_response(lambda reply: "24 hours" in (reply.request.post_data or "")):
        page.keyboard.press("Enter")
    expect(page.get_by_text("Thank you for telling us.")).to_be_visible()
    bodies = [call.body for call in backend.made("POST", "/widget/api/turns/t1/feedback")]
    assert bodies == [{"value": -1}, {"value": -1, "comment": "It is 24 hours"}]


def test_visitor_reaches_a_person(shop, backend):
    page = start(shop.open())
    page.get_by_role("button", name="Talk to a person").click()
    expect(page.get_by_text("Mon-Sat 9:00-18:00")).to_be_visible()
    page.get_by_role("button", name="Ask for a person").click()
    expect(page.get_by_text("Please leave a contact")).to_be_visible()
    page.get_by_label("Phone, WeChat or e-mail").fill("139 0000 0000")
    page.get_by_role("button", name="Ask for a person").click()
    expect(page.get_by_text("We will call you back.")).to_be_visible()
    expect(page.get_by_text("Number: T-7")).to_be_visible()
    (call,) = backend.made("POST", "/widget/api/handoff")
    assert call.body == {"contact": "139 0000 0000"}
    assert call.headers["idempotency-key"]


def test_history_is_there_after_a_reload(shop, backend):
    page = start(shop.open())
    ask(page)
    expect(page.get_by_role("article").last).to_contain_text(ANSWER)
    page.reload()
    start(page)
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("article").first).to_contain_text(QUESTION)
    expect(page.get_by_role("article").last).to_contain_text(ANSWER)
    assert backend.made("POST", "/widget/api/sessions")[1].body["visitor"] == "visitor-1"
    assert len(backend.made("POST", "/widget/api/messages")) == 1


def test_reload_in_the_middle_of_an_answer_follows_it_on(shop, backend):
    backend.gate.clear()
    page = start(shop.open())
    ask(page)
    expect(page.get_by_role("article")).to_have_count(2)
    page.reload()
    start(page)
    expect(page.get_by_role("article").first).to_contain_text(QUESTION)
    backend.gate.set()
    expect(page.get_by_role("article").last).to_contain_text(ANSWER)
    expect(page.get_by_role("article")).to_have_count(2)


def test_expired_session_is_renewed_without_a_word(shop, backend):
    page = start(shop.open())
    expect(page.get_by_text("Hello! Ask us about apples")).to_be_visible()
    backend.revoke()
    ask(page)
    expect(page.get_by_role("article").last).to_contain_text(ANSWER)
    assert len(backend.made("POST", "/widget/api/sessions")) == 2
    keys = {
        call.headers["idempotency-key"] for call in backend.made("POST", "/widget/api/messages")
    }
    assert len(keys) == 1
    assert len(backend.turns) == 1


def test_site_that_is_not_on_the_list_is_told_so(shop, backend):
    backend.allowed = set()
    page = shop.open()
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text("not enabled for this website")).to_be_visible()
    expect(page.get_by_role("textbox")).to_be_disabled()


def test_failed_answer_can_be_asked_again(shop, backend):
    backend.answers[QUESTION] = [
        ("error", {"code": "worker_lost", "message": "The answer stopped."}),
        ("done", {}),
    ]
    page = start(shop.open())
    ask(page)
    expect(page.get_by_text("The answer stopped.")).to_be_visible()
    del backend.answers[QUESTION]
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("article").last).to_contain_text(ANSWER)
    expect(page.get_by_role("article")).to_have_count(2)
    keys = [
        call.headers["idempotency-key"] for call in backend.made("POST", "/widget/api/messages")
    ]
    assert len(set(keys)) == 2


def test_refused_message_stays_and_goes_again_under_a_new_key(shop, backend):
    backend.refusals = [400]
    page = start(shop.open())
    ask(page)
    expect(page.get_by_text("Not sent.")).to_be_visible()
    expect(page.get_by_role("article").first).to_contain_text(QUESTION)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("article").last).to_contain_text(ANSWER)
    keys = [
        call.headers["idempotency-key"] for call in backend.made("POST", "/widget/api/messages")
    ]
    assert len(set(keys)) == 2


def test_answer_that_arrives_while_closed_marks_the_button(shop, backend):
    backend.gate.clear()
    page = start(shop.open())
    ask(page)
    expect(page.get_by_role("article")).to_have_count(2)
    page.keyboard.press("Escape")
    backend.gate.set()
    expect(page.get_by_role("button", name="Open the chat, 1 unread")).to_have_text("1")
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_role("article").last).to_contain_text(ANSWER)


def test_open_request_for_a_person_is_remembered_after_a_reload(shop):
    page = start(shop.open())
    ask(page)
    page.get_by_role("button", name="Talk to a person").click()
    page.get_by_label("Phone, WeChat or e-mail").fill("139 0000 0000")
    page.get_by_role("button", name="Ask for a person").click()
    expect(page.get_by_text("Number: T-7")).to_be_visible()
    page.reload()
    start(page)
    expect(page.get_by_text("A person has been asked")).to_be_visible()
