"""The first screen, staff in the log, photos, orders, cards, signed customers, and what the button tells."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.knowledge.parsing.test_apart import png

pytestmark = pytest.mark.e2e
SCREENSHOTS = Path(__file__).parents[3] / "var" / "screenshots"
ANSWER = "Claims are taken within 48 hours of delivery."
PHOTO = {
    "name": "box.png",
    "mimeType": "image/png",
    "buffer": png(60, 40, bytes((60 * 3 + 1) * 40)),
}
PERSON = {"state": "human", "owner": "person", "name": "小王", "wait": None}
QUEUE = {"state": "waiting", "owner": "queue", "name": ""}
WAIT = {"place": 2, "typical_s": 240, "is_open": True, "is_staffed": True, "opens_at": None}


def start(page: Any, name: str = "Open the chat") -> Any:
    page.get_by_role("button", name=name).click()
    expect(page.get_by_text("Hello! Ask us about apples")).to_be_visible(timeout=30_000)
    return page


def ask(page: Any, text: str = "How long?") -> None:
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")


def choose(page: Any, *files: Any) -> None:
    page.locator("furrow-widget input[type=file]").set_input_files(list(files))


def test_first_screen_says_who_answers_and_leads_back_into_the_conversation(shop, backend):
    backend.config["people"] = {"names": ["小王"], "opens_at": None, "typical_s": 130}
    backend.config["notice"] = "Picking starts on Monday."
    backend.message("An old question", "k")
    backend.turns[0].is_done = True
    backend.now = "2026-01-01T08:00:00Z"
    page = start(shop.open())
    expect(page.get_by_text("The AI assistant answers at once. Also here: 小王.")).to_be_visible()
    expect(page.get_by_text("Usually within 2 min.")).to_be_visible()
    expect(page.get_by_text("Picking starts on Monday.")).to_be_visible()
    page.get_by_role("button", name="Continue the conversation").click()
    expect(page.get_by_text("An old question")).to_be_visible()
    page.get_by_role("button", name="Start page").click()
    page.get_by_role("button", name="Do you ship to Beijing?").click()
    expect(page.get_by_text(ANSWER).last).to_be_visible()


def test_member_takes_over_in_the_open_window_and_is_judged_with_one_tap(shop, backend):
    page = start(shop.open())
    ask(page)
    expect(page.get_by_text(ANSWER)).to_be_visible()
    backend.status = {**QUEUE, "wait": WAIT}
    expect(page.get_by_text("You are number 2. Usually within 4 min.")).to_be_visible()
    backend.status = {**QUEUE, "wait": {**WAIT, "place": 1}}
    expect(page.get_by_text("You are number 1.")).to_be_visible()
    backend.status = PERSON
    backend.says("**Hello**, I have your order here.\n<b>x</b>")
    expect(page.locator("furrow-widget .heading")).to_contain_text("小王 answers you now")
    bubble = page.locator("furrow-widget .bubble.staff")
    expect(bubble).to_contain_text("Hello, I have your order here.")
    expect(bubble).to_contain_text("<b>x</b>")
    ask(page, "Thank you")
    expect(page.get_by_role("article").last).to_contain_text("Thank you")
    assert page.locator("furrow-widget article.answer").count() == 1
    backend.asks_csat = True
    page.get_by_role("button", name="Good", exact=True).click()
    expect(page.get_by_text("Thank you for telling us.")).to_be_visible()
    assert [call.body for call in backend.made("POST", "/widget/api/csat")] == [{"score": 3}]
    assert page.locator("furrow-widget p.event").all_inner_texts() == [
        "A person has been asked. You are number 1. Usually within 4 min.",
        "小王 answers you now",
    ]


def test_words_of_members_come_back_once_and_in_their_place(shop, backend):
    backend.message("first", "k1")
    backend.says("answer one")
    backend.message("second", "k2")
    backend.says("answer two")
    for turn in backend.turns:
        turn.is_done = True
        turn.events = [("answer", {"id": "a", "rung": "person", "text": "", "citations": []})]
    backend.status = PERSON
    page = shop.open()
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text("answer two")).to_be_visible()
    page.wait_for_timeout(2600)  # the feed has ended and was taken up again
    shown = page.locator("furrow-widget article").all_inner_texts()
    words = [text.strip().split("\n")[-1] for text in shown if "answers you" not in text]
    assert words == ["first", "answer one", "second", "answer two"]


def test_member_who_writes_while_the_window_is_closed_is_counted(shop, backend):
    page = start(shop.open())
    ask(page)
    expect(page.get_by_text(ANSWER)).to_be_visible()
    page.keyboard.press("Escape")
    backend.says("Are you still there?")
    backend.says("We can send a new box.")
    page.get_by_role("button", name="Open the chat, 2 unread").click()
    expect(page.get_by_text("We can send a new box.")).to_be_visible()
    seen = page.evaluate("JSON.parse(localStorage['furrow:pub_1:seen'])")
    assert seen == {"conversation": "c1", "number": 2}


def test_photos_are_shown_sent_and_seen_again(shop, backend):
    policy = f"default-src 'none'; script-src {shop.host}; connect-src {shop.host}; require-trusted-types-for 'script'"
    page = start(shop.open(policy=policy))
    choose(page, PHOTO, {**PHOTO, "name": "two.png"})
    expect(page.locator("furrow-widget .thumb canvas")).to_have_count(2)
    page.get_by_role("button", name="Remove this photo").first.click()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text(ANSWER)).to_be_visible()
    (message,) = backend.made("POST", "/widget/api/messages")
    assert message.body == {"text": "", "photos": ["p1"]}
    assert backend.photos["p1"] == PHOTO["buffer"]
    page.get_by_role("button", name="Open the photo").click()
    large = page.locator("furrow-widget canvas.large")
    expect(large).to_have_js_property("width", 60)
    page.keyboard.press("Escape")
    page.reload()
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_role("button", name="Open the photo")).to_be_visible()
    painted = "node => node.getContext('2d').getImageData(1, 1, 1, 1).data[3]"
    page.wait_for_function(
        f"() => {{ const node = document.querySelector('furrow-widget').shadowRoot.querySelector('.photo canvas'); return node && ({painted})(node) === 255; }}"
    )


def test_what_is_no_photo_is_said_and_left(shop, backend):
    page = start(shop.open())
    choose(page, {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.get_by_text("This file is no photo.")).to_be_visible()
    assert page.locator("furrow-widget .thumb").count() == 0


def test_photo_chosen_offline_survives_a_reload_and_goes_once(shop, backend, context):
    page = start(shop.open())
    page.route("**/widget/api/photos", lambda route: route.abort())
    choose(page, PHOTO)
    expect(page.locator("furrow-widget .thumb")).to_have_count(1)
    ask(page, "This is the box")
    expect(page.get_by_text("Waiting for network")).to_be_visible()
    page.unroute("**/widget/api/photos")
    page.reload()
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert [turn.photos[0]["id"] for turn in backend.turns] == ["p1"]
    assert list(backend.photos.values()) == [PHOTO["buffer"]]


def test_order_in_two_fields_becomes_the_visitors_message(shop, backend):
    page = start(shop.open())
    page.get_by_role("button", name="My order").click()
    page.get_by_role("button", name="Where is it?").click()
    expect(page.get_by_text("Please enter the order number.")).to_be_visible()
    page.get_by_label("Order number").fill("QH-7")
    page.get_by_label("Last 4 digits").fill("2020")
    page.get_by_role("button", name="Where is it?").click()
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert backend.turns[0].text == "Where is my order QH-7? My phone number ends in 2020."


def test_goods_of_an_answer_are_cards(shop, backend, make_events):
    events = make_events("Navel orange: 69.90 yuan.")
    events[-2][1]["rung"] = "fact"
    backend.answers["How much?"] = events
    backend.cards = [
        {
            "title": "Navel orange <b>",
            "price": "69.90 yuan",
            "stock": "120 in stock",
            "as_of": "25 November",
        }
    ]
    page = start(shop.open())
    ask(page, "How much?")
    card = page.get_by_role("list", name="Goods").get_by_role("listitem")
    expect(card).to_contain_text("Navel orange <b>")
    expect(card).to_contain_text("as of 25 November")
    card.get_by_role("button", name="Shipping?").click()
    expect(page.get_by_text("How is Navel orange <b> shipped?")).to_be_visible()


def test_transcript_goes_by_mail_and_sound_is_switched(shop, backend):
    backend.config["can_mail"] = True
    page = start(shop.open())
    ask(page)
    expect(page.get_by_text(ANSWER)).to_be_visible()
    page.get_by_role("button", name="More").click()
    page.get_by_role("switch").click()
    expect(page.get_by_role("switch")).to_have_text("Sound for new messages: off")
    page.get_by_label("E-mail me this conversation").fill("li@example.org")
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_text("It is on its way.")).to_be_visible()
    (call,) = backend.made("POST", "/widget/api/transcript")
    assert call.body == {"email": "li@example.org"}
    assert page.evaluate("localStorage['furrow:pub_1:sound']") == "false"


def test_chime_sounds_only_for_what_comes_while_away(shop, backend):
    page = shop.open()
    page.evaluate(
        "() => { window.tones = 0; const start = OscillatorNode.prototype.start;"
        "OscillatorNode.prototype.start = function (...at) { window.tones += 1; return start.apply(this, at); }; }"
    )
    start(page)
    ask(page)
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert page.evaluate("window.tones") == 0
    page.keyboard.press("Escape")
    backend.says("Hello?")
    expect(page.get_by_role("button", name="Open the chat, 1 unread")).to_be_visible()
    assert page.evaluate("window.tones") == 2


def test_customer_whom_the_site_vouches_for_leaves_nothing_behind(shop, backend):
    backend.customer = {"id": "c-9", "name": "Li"}
    page = start(shop.open('data-identity="signed.one"'))
    assert backend.made("POST", "/widget/api/sessions")[0].body["identity"] == "signed.one"
    ask(page)
    expect(page.get_by_text(ANSWER)).to_be_visible()
    page.get_by_role("textbox").fill("half a secret")
    backend.customer = None
    backend.turns.clear()
    page.evaluate("FurrowWidget.identify('')")
    expect(page.get_by_text(ANSWER)).to_have_count(0)
    expect(page.get_by_role("textbox")).to_have_value("")
    assert backend.made("POST", "/widget/api/sessions")[-1].body.get("identity") is None
    kept = page.evaluate("JSON.stringify({...localStorage})")
    assert "half a secret" not in kept
    assert "signed.one" not in kept


def test_button_tells_news_of_an_earlier_visit_and_the_shops_notice(shop, backend):
    notice = 'data-notice-en="Free shipping today" data-notice-after="1"'
    page = shop.open(notice)
    page.get_by_role("button", name="Free shipping today").wait_for()
    assert backend.made("POST", "/widget/api/unread") == []
    page.get_by_role("button", name="Hide this").click()
    page.evaluate("localStorage['furrow:pub_1:visitor'] = JSON.stringify('v')")
    backend.unread = {
        "unread": 1,
        "name": "小王",
        "text": "Your new box is on its way",
        "watch": False,
    }
    page.reload()
    expect(page.get_by_role("button", name="小王: Your new box is on its way")).to_be_visible()
    expect(page.get_by_role("button", name="Open the chat, 1 unread")).to_be_visible()
    assert page.get_by_role("button", name="Free shipping today").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_serious_accessibility_finding(shop, backend, make_events, width, scheme, lang):
    shop.page.set_viewport_size({"width": width, "height": 844})
    shop.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    backend.config["people"] = {"names": ["小王"], "opens_at": None, "typical_s": 130}
    backend.config["notice"] = "今年脐橙 11 月 20 日开摘。"
    events = make_events("脐橙大果（HN-1） 69.90元。（截至2026年11月25日18:00）")
    events[-2][1]["rung"] = "fact"
    backend.answers["Here"] = events
    backend.cards = [
        {
            "title": "脐橙大果",
            "spec": "5kg",
            "price": "69.90元",
            "stock": "现有120箱",
            "as_of": "11月25日 18:00",
        }
    ]
    backend.message("上次的问题：坏果怎么赔？", "k0")
    backend.turns[0].is_done = True
    backend.now = "2026-01-01T08:00:00Z"
    backend.status = None
    page = shop.open(lang=lang, body="<main><h1>Apples</h1></main>")
    page.locator("furrow-bubble button").first.click()
    page.locator("furrow-widget .suggestion").first.wait_for()
    shoot(page, f"home-{lang}-{scheme}")
    found = _serious(page)
    choose(page, PHOTO)
    page.locator("furrow-widget textarea").fill("Here")
    page.keyboard.press("Enter")
    page.locator("furrow-widget .cards").wait_for()
    backend.status = PERSON
    backend.says("您好，我是小王，照片收到了，马上给您补发。")
    backend.asks_csat = True
    page.locator("furrow-widget .face-button").first.wait_for()
    page.locator("furrow-widget .cards").wait_for()
    shoot(page, f"people-{lang}-{scheme}")
    found += _serious(page)
    page.locator("furrow-widget .order").click()
    found += _serious(page)
    page.keyboard.press("Escape")
    page.locator("furrow-widget .more").click()
    found += _serious(page)
    assert found == []
    moving = "all => all.filter(n => getComputedStyle(n).animationName !== 'none' || parseFloat(getComputedStyle(n).transitionDuration) > 0).length"
    assert page.locator("furrow-widget *").evaluate_all(moving) == 0


def shoot(page: Any, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width = page.viewport_size["width"]
    page.screenshot(path=SCREENSHOTS / f"widget-{name}-{width}.png", animations="disabled")


def _serious(page: Any) -> list[str]:
    results = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {[node['html'][:90] for node in each['nodes'][:2]]}"
        for each in results
        if each["impact"] in {"serious", "critical"}
    ]


def test_forced_scheme_wins_over_the_devices(shop, backend):
    backend.config["scheme"] = "dark"
    shop.page.emulate_media(color_scheme="light")
    page = start(shop.open())
    look = "node => getComputedStyle(node).backgroundColor"
    assert page.locator("furrow-widget .frame").evaluate(look) == "rgb(27, 30, 26)"
