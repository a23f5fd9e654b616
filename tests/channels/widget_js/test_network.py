"""A weak network: nothing is lost, nothing arrives twice, the order stays."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e
ANSWER = "Claims are taken within 48 hours of delivery."
LONG = "坏果请在签收后48小时内联系我们。 🍎 Second sentence, with more words than one packet holds.\n- 照片\n- 订单号"


def start(page: Any) -> Any:
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text("Hello! Ask us about apples")).to_be_visible()
    return page


def ask(page: Any, text: str) -> None:
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")


def keys(backend: Any) -> list[str]:
    return [
        call.headers["idempotency-key"] for call in backend.made("POST", "/widget/api/messages")
    ]


def test_message_typed_offline_is_sent_once_when_the_network_returns(shop, backend, context):
    page = start(shop.open())
    context.set_offline(True)
    ask(page, "first")
    ask(page, "second")
    expect(page.get_by_text("No network.")).to_be_visible()
    expect(page.get_by_text("Waiting for network")).to_have_count(2)
    assert backend.turns == []
    context.set_offline(False)
    expect(page.get_by_text(ANSWER)).to_have_count(2)
    expect(page.get_by_text("Waiting for network")).to_have_count(0)
    assert [turn.text for turn in backend.turns] == ["first", "second"]
    assert page.get_by_role("article").all_inner_texts()[0].endswith("first")


def test_queue_survives_a_reload_with_its_key(shop, backend):
    page = start(shop.open())
    page.route("**/widget/api/messages", lambda route: route.abort())
    ask(page, "kept")
    expect(page.get_by_text("Waiting for network")).to_be_visible()
    stored = page.evaluate("JSON.parse(localStorage.getItem('furrow:pub_1:outbox'))")
    page.unroute("**/widget/api/messages")
    page.reload()
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert set(keys(backend)) == {stored[0]["key"]}
    assert [turn.text for turn in backend.turns] == ["kept"]
    assert page.evaluate("localStorage.getItem('furrow:pub_1:outbox')") == "[]"


def test_message_left_in_the_queue_goes_out_at_the_next_visit(shop, backend):
    page = shop.open()
    page.evaluate(
        """localStorage.setItem('furrow:pub_1:outbox',
            JSON.stringify([{key: 'aa11', text: 'from an hour ago', at: Date.now() - 3600000}]))"""
    )
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert keys(backend) == ["aa11"]


def test_message_older_than_a_day_waits_for_the_visitors_word(shop, backend):
    page = shop.open()
    page.evaluate(
        """localStorage.setItem('furrow:pub_1:outbox',
            JSON.stringify([{key: 'aa11', text: 'from last week', at: Date.now() - 6e8}]))"""
    )
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text("waited more than a day")).to_be_visible()
    assert keys(backend) == []
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert len(keys(backend)) == 1
    assert keys(backend) != ["aa11"]


def test_lost_confirmation_ends_in_one_turn(shop, backend, context):
    page = start(shop.open())
    seen: list[str] = []

    def lose_the_reply(route: Any) -> None:
        seen.append(route.request.headers["idempotency-key"])
        if len(seen) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/widget/api/messages", lose_the_reply)
    ask(page, "only once")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert len(seen) == 2
    assert len(set(seen)) == 1
    assert [turn.text for turn in backend.turns] == ["only once"]
    expect(page.get_by_role("article")).to_have_count(2)


def test_overloaded_server_is_asked_again_under_the_same_key(shop, backend):
    backend.refusals = [503, 502]
    page = start(shop.open())
    ask(page, "patience")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert len(keys(backend)) == 3
    assert len(set(keys(backend))) == 1


def test_crowded_server_is_asked_for_a_session_again_when_it_says(shop, backend):
    page = shop.open()
    asked: list[float] = []

    def crowded_once(route: Any) -> None:
        if route.request.method != "POST":
            return route.continue_()
        asked.append(time.monotonic())
        if len(asked) > 1:
            return route.continue_()
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Retry-After",
            "Retry-After": "2",
        }
        return route.fulfill(status=503, json={"error": {"code": "busy"}}, headers=headers)

    page.route("**/widget/api/sessions", crowded_once)
    start(page)
    assert len(asked) == 2
    assert asked[1] - asked[0] > 1.9


def test_cut_stream_is_resumed_where_it_stopped(shop, backend, make_events):
    backend.answers["long"] = make_events(LONG)
    backend.cuts = [5, 3, 0, 4]
    page = start(shop.open())
    states = page.evaluate_handle("[]")
    page.evaluate(
        """states => new MutationObserver(() => states.push(
            document.querySelector('furrow-widget').shadowRoot.querySelector('.answer .text')?.innerText))
            .observe(document.querySelector('furrow-widget').shadowRoot, {subtree: true, childList: true})""",
        states,
    )
    ask(page, "long")
    article = page.get_by_role("article").last
    expect(article.get_by_role("listitem")).to_have_count(2)
    expect(article.get_by_role("button", name="Copy answer")).to_be_visible(timeout=15_000)
    streams = backend.made("GET", "/widget/api/turns/t1/events")
    assert [call.headers.get("last-event-id") for call in streams] == [None, "5", "8", "8", "12"]
    flat = re.sub(r"\s+|- ", "", LONG)
    for text in page.evaluate("states => states", states):
        assert flat.startswith(re.sub(r"\s+|-$", "", text or "").removesuffix("-"))
    assert re.sub(r"\s+", "", article.locator(".text").inner_text()) == flat


def test_stream_forgotten_by_the_server_ends_in_the_stored_answer(shop, backend):
    page = start(shop.open())

    def gone(route: Any) -> None:
        backend.turns[0].is_done = True
        route.fulfill(
            status=404,
            json={"error": {"code": "not_found"}},
            headers={"Access-Control-Allow-Origin": "*"},
        )

    page.route("**/events", gone)
    ask(page, "late")
    expect(page.get_by_text(ANSWER)).to_be_visible()


def test_failed_download_of_the_app_can_be_tried_again(shop, context):
    page = shop.open()
    page.route("**/widget/app.js*", lambda route: route.abort())
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text("Could not load.")).to_be_visible()
    page.unroute("**/widget/app.js*")
    start(page)


def test_unreachable_server_keeps_the_question(shop, backend):
    page = shop.open()
    page.route("**/widget/api/**", lambda route: route.abort())
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text("The server could not be reached.")).to_be_visible()
    ask(page, "is anyone there?")
    expect(page.get_by_role("article").first).to_contain_text("is anyone there?")
    page.unroute("**/widget/api/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert [turn.text for turn in backend.turns] == ["is anyone there?"]


def test_half_written_text_is_there_after_a_reload(shop):
    page = start(shop.open())
    page.get_by_role("textbox").fill("half a quest")
    page.reload()
    start(page)
    expect(page.get_by_role("textbox")).to_have_value("half a quest")


def test_closed_storage_does_not_stop_the_chat(shop, context):
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('closed'); } })"
    )
    page = start(shop.open())
    ask(page, "still works")
    expect(page.get_by_text(ANSWER)).to_be_visible()


def test_message_of_another_tab_is_not_sent_again(shop, backend, context):
    page = start(shop.open())
    page.route("**/widget/api/messages", lambda route: route.abort())
    ask(page, "from the first tab")
    expect(page.get_by_text("Waiting for network")).to_be_visible()
    other = context.new_page()
    other.goto(shop.origin)
    other.get_by_role("button", name="Open the chat").click()
    expect(other.get_by_text(ANSWER)).to_be_visible()
    page.unroute("**/widget/api/messages")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(2)
    assert len(keys(backend)) == 1


def test_stream_is_read_right_wherever_the_network_cuts_it(shop):
    page = shop.open()
    wire = (
        ': keep-alive\r\n\r\nid: 1\r\nevent: delta\r\ndata: {"text":\r\ndata: "苹果🍎"}\r\n\r\n'
        "id: 2\nevent: delta\ndata: not json\n\nid: 3\nevent: done\ndata: {}\n\nid: 4\nevent: delta\ndata: {}"
    )
    heard = page.evaluate(
        """async ([host, wire]) => {
            const { createParser } = await import(`${host}/widget/app/stream.js`);
            const heard = [];
            const feed = createParser((event) => heard.push(event));
            for (const byte of new TextEncoder().encode(wire)) feed(new Uint8Array([byte]));
            return heard;
        }""",
        [shop.host, wire],
    )
    assert heard == [
        {"id": "1", "name": "delta", "data": {"text": "苹果🍎"}},
        {"id": "3", "name": "done", "data": {}},
    ]


def test_slow_session_does_not_disturb_what_is_being_typed(shop, backend):
    page = shop.open()
    held: list[Any] = []
    page.route("**/widget/api/sessions", lambda route: held.append(route))
    page.get_by_role("button", name="Open the chat").click()
    field = page.get_by_role("textbox").element_handle()
    page.keyboard.type("half a wo")
    page.keyboard.press("ArrowLeft")
    held[0].continue_()
    expect(page.get_by_text("Hello! Ask us about apples")).to_be_visible()
    # The same node with the same caret: replacing it would end an open input method.
    assert field.evaluate("node => [node.isConnected, node.selectionStart, node.value]") == [
        True,
        8,
        "half a wo",
    ]
    expect(page.get_by_role("textbox")).to_be_focused()
