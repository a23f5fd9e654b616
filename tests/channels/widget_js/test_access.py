"""Keyboard, screen reader, phone, dark and coloured variants."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


def start(page: Any) -> Any:
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text("Hello! Ask us about apples")).to_be_visible()
    return page


def focused(page: Any) -> str:
    return str(
        page.evaluate(
            """() => { const at = document.querySelector('furrow-widget').shadowRoot.activeElement;
            return at ? at.getAttribute('aria-label') || at.textContent : ''; }"""
        )
    )


def test_whole_path_works_with_the_keyboard_alone(shop):
    page = shop.open()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_text("Hello! Ask us about apples")).to_be_visible()
    page.keyboard.type("How long")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("can I claim?")
    expect(page.get_by_role("textbox")).to_have_value("How long\ncan I claim?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("within 48 hours")).to_be_visible()
    source = page.get_by_role("button", name="Open source 1").last
    source.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Source 1")).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.locator("furrow-widget .panel :focus").count() == 1
    page.keyboard.press("Escape")
    expect(source).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Open the chat")).to_be_focused()


def test_focus_stays_inside_both_ways(shop):
    page = start(shop.open(body="<a href='#x'>outside</a>"))
    page.get_by_role("textbox").fill("x")
    names = []
    for _ in range(14):
        page.keyboard.press("Tab")
        names.append(focused(page))
    assert "" not in names
    assert {"Send", "Your message", "Close", "Talk to a person"} <= set(names)
    for _ in range(14):
        page.keyboard.press("Shift+Tab")
        assert focused(page)


def test_enter_that_confirms_a_chinese_word_sends_nothing(shop, backend):
    page = start(shop.open())
    page.get_by_role("textbox").fill("苹")
    for extra in ("isComposing: true", "keyCode: 229"):
        page.get_by_role("textbox").evaluate(
            f"node => node.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter', bubbles: true, composed: true, {extra}}}))"
        )
    page.wait_for_timeout(200)
    assert backend.made("POST", "/widget/api/messages") == []
    expect(page.get_by_role("textbox")).to_have_value("苹")


def test_roles_and_names_are_there_for_a_screen_reader(shop):
    page = start(shop.open())
    dialog = page.get_by_role("dialog", name="Hillside Orchard")
    expect(dialog).to_have_attribute("aria-modal", "true")
    page.get_by_role("button", name="How long can I claim?").click()
    expect(page.get_by_role("log", name="Conversation")).to_have_attribute("aria-live", "polite")
    unnamed = page.locator("furrow-widget button, furrow-widget textarea").evaluate_all(
        "all => all.filter(node => !(node.getAttribute('aria-label') || node.textContent).trim()).length"
    )
    assert unnamed == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_targets_are_large_enough_and_nothing_overflows(shop, width):
    shop.page.set_viewport_size({"width": width, "height": 740})
    page = start(shop.open())
    page.get_by_role("button", name="How long can I claim?").click()
    expect(page.get_by_role("button", name="Copy answer")).to_be_visible()
    small = page.locator("furrow-widget button:not(.chip), furrow-widget textarea").evaluate_all(
        "all => all.filter(n => n.getClientRects().length && n.getBoundingClientRect().height < 44).map(n => n.outerHTML)"
    )
    assert small == []
    assert page.locator("furrow-widget .frame").evaluate(
        "node => node.scrollWidth <= node.clientWidth"
    )
    assert page.get_by_role("textbox").evaluate("node => getComputedStyle(node).fontSize") == "16px"


def test_phone_gets_the_full_screen(shop):
    shop.page.emulate_media(reduced_motion="reduce")
    shop.page.set_viewport_size({"width": 360, "height": 640})
    page = start(shop.open())
    box = page.locator("furrow-widget .frame").bounding_box() or {}
    assert {side: round(size) for side, size in box.items()} == {
        "x": 0,
        "y": 0,
        "width": 360,
        "height": 640,
    }
    expect(page.get_by_role("button", name="Open the chat")).to_be_hidden()
    # What a phone keyboard leaves over.
    page.set_viewport_size({"width": 360, "height": 320})
    page.wait_for_function(
        "document.querySelector('furrow-widget').shadowRoot.querySelector('.frame').clientHeight === 320"
    )
    expect(page.get_by_role("textbox")).to_be_in_viewport(ratio=1)


def contrast(page: Any, selector: str) -> float:
    return float(
        page.locator(f"furrow-widget {selector}").first.evaluate(
            """node => {
            const rgba = c => { const x = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
                x.fillStyle = c; x.fillRect(0, 0, 1, 1); return [...x.getImageData(0, 0, 1, 1).data]; };
            const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
            let ground = node;
            while (rgba(getComputedStyle(ground).backgroundColor)[3] < 255) ground = ground.parentElement;
            const pair = [rgba(getComputedStyle(node).color), rgba(getComputedStyle(ground).backgroundColor)].map(light).sort();
            return (Math.max(...pair) + .05) / (Math.min(...pair) + .05); }"""
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("color", ["#2f6b3c", "#f2c230", "#1d4ed8"])
def test_text_stays_readable_in_every_colour(shop, scheme, color):
    shop.page.emulate_media(color_scheme=scheme)
    page = start(shop.open(f'data-color="{color}"'))
    page.get_by_role("button", name="How long can I claim?").click()
    expect(page.get_by_role("button", name="Copy answer")).to_be_visible()
    parts = [
        ".bubble",
        ".text",
        ".badge",
        ".chip",
        ".talk",
        ".who span:last-child",
        ".bar small",
        ".heading p",
    ]
    low = {part: ratio for part in parts if (ratio := contrast(page, part)) < 4.5}
    assert low == {}


def test_inline_mode_lives_in_its_target(shop):
    page = shop.open('data-mode="inline" data-target="#help"', body="<main id='help'></main>")
    page.get_by_role("button", name="Ask us a question").click()
    expect(
        page.locator("#help furrow-widget").get_by_role("region", name="Hillside Orchard")
    ).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("textbox")).to_be_visible()


def test_position_and_stacking_order_follow_the_tag(shop):
    page = start(shop.open('data-position="left" data-z-index="77"'))
    frame = page.locator("furrow-widget .frame")
    assert frame.evaluate("node => getComputedStyle(node).zIndex") == "77"
    assert (frame.bounding_box() or {})["x"] == 20


def test_reduced_motion_is_respected(shop):
    shop.page.emulate_media(reduced_motion="reduce")
    page = start(shop.open())
    assert (
        page.locator("furrow-widget .frame").evaluate(
            "node => getComputedStyle(node).animationName"
        )
        == "none"
    )


def test_page_hears_opening_and_closing(shop):
    page = shop.open()
    page.evaluate(
        "window.heard = []; for (const n of ['furrow:open', 'furrow:close']) document.addEventListener(n, () => heard.push(n))"
    )
    start(page)
    page.evaluate("FurrowWidget.close()")
    assert page.evaluate("heard") == ["furrow:open", "furrow:close"]
    assert re.match("furrow", page.evaluate("heard[0]"))
