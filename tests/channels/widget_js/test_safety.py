"""Hostile text stays text, a strict page policy is kept, one widget per page."""

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e
CORPUS = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "<svg/onload=window.hacked=1>",
    '"><iframe srcdoc="<script>parent.hacked=1</script>">',
    "[press](javascript:window.hacked=1)",
    "javascript:window.hacked=1 data:text/html,<script>hacked=1</script>",
    "<a href='javascript:hacked=1'>x</a> <style>*{display:none}</style>",
    "**<b onmouseover=hacked=1>bold</b>**\n- <details open ontoggle=hacked=1>\n1. {{constructor.constructor('hacked=1')()}}",
    "https://good.example@evil.example/ https://\u202egpj.exe",
    "[1]<math><mtext></p><script>hacked=1</script>",
]
TAGS = "script, img, iframe, style:not(:first-child), details, object, embed, math, form[action], b"


def test_hostile_text_is_inert_everywhere(shop, backend, make_events, citation):
    every = "\n".join(CORPUS)
    citations = [
        citation | {"n": number, "document_title": payload, "quote": payload, "page": payload}
        for number, payload in enumerate(CORPUS, 1)
    ]
    backend.answers["go"] = make_events(every, citations)
    backend.passage = {
        "title": every,
        "page": every,
        "text": f"a {every}",
        "quote_start": 2,
        "quote_end": 9,
    }
    backend.config |= {
        "name": every,
        "greeting": every,
        "avatar_text": every,
        "suggestions": CORPUS[:5],
    }
    backend.config |= {"hours_note": every, "color": f"red;{every}"}
    page = shop.open()
    page.get_by_role("button", name="Open the chat").click()
    root = page.locator("furrow-widget")
    for payload in CORPUS:
        expect(root.locator(".greeting")).to_contain_text(payload.split("\n")[0])
    assert root.locator(".suggestion").all_text_contents() == CORPUS[:5]
    assert_inert(page)
    root.locator("textarea").fill("go")
    page.keyboard.press("Enter")
    expect(root.get_by_role("button", name="Copy answer")).to_be_visible()
    assert root.locator(".source .name").all_text_contents() == CORPUS
    assert "<svg/onload=window.hacked=1>" in root.locator(".answer .text").inner_text()
    assert_inert(page)
    root.locator(".talk").click()
    expect(root.locator(".handoff")).to_contain_text("<svg/onload=window.hacked=1>")
    assert_inert(page)
    page.keyboard.press("Escape")
    root.locator(".source").first.click()
    expect(root.locator(".passage")).to_contain_text("<svg/onload=window.hacked=1>")
    assert_inert(page)


def assert_inert(page: Any) -> None:
    root = page.locator("furrow-widget")
    assert page.evaluate("window.hacked") is None
    assert root.locator(TAGS).count() == 0
    links = root.locator("a").evaluate_all(
        "all => all.map(each => [each.protocol, each.username, each.rel])"
    )
    for protocol, user, rel in links:
        assert protocol in ("http:", "https:")
        assert user == ""
        assert "noopener" in rel
    risky = "a => a.name === 'style' || a.name.startsWith('on')"
    found = f"all => all.filter(node => [...node.attributes].some({risky})).length"
    assert root.locator("*").evaluate_all(found) == 0


def test_visitors_own_text_is_inert(shop):
    page = shop.open()
    page.get_by_role("button", name="Open the chat").click()
    page.get_by_role("textbox").fill(CORPUS[1])
    page.keyboard.press("Enter")
    expect(page.get_by_role("article").first).to_contain_text("<img src=x")
    assert page.evaluate("window.hacked") is None


def test_plain_web_address_becomes_a_safe_link(shop, backend, make_events):
    backend.answers["go"] = make_events(
        "See (https://orchard.example/claims?a=1). 或 https://orchard.example/中文。好"
    )
    page = shop.open()
    page.get_by_role("button", name="Open the chat").click()
    page.get_by_role("textbox").fill("go")
    page.keyboard.press("Enter")
    first = page.get_by_role("link", name="https://orchard.example/claims?a=1", exact=True)
    expect(first).to_have_attribute("rel", "noopener noreferrer")
    expect(first).to_have_attribute("target", "_blank")
    expect(
        page.get_by_role("link", name="https://orchard.example/中文", exact=True)
    ).to_be_visible()


def test_page_with_a_strict_policy_shows_the_whole_widget(shop, backend):
    policy = f"default-src 'none'; script-src {shop.host}; connect-src {shop.host}; require-trusted-types-for 'script'"
    broken: list[str] = []
    shop.page.on("console", lambda line: broken.append(line.text) if line.type == "error" else None)
    page = shop.open(policy=policy)
    page.get_by_role("button", name="Open the chat").click()
    page.get_by_role("button", name="How long can I claim?").click()
    expect(page.get_by_text("Claims are taken within 48 hours")).to_be_visible()
    assert (
        page.locator("furrow-widget .frame").evaluate("node => getComputedStyle(node).position")
        == "fixed"
    )
    assert [line for line in broken if "favicon" not in line and "data:," not in line] == []


def test_second_tag_on_the_page_is_ignored(shop):
    second = f'<script src="{shop.host}/widget/v1.js" data-assistant="pub_2"></script>'
    page = shop.open(body=f"<h1>Shop</h1>{second}{second}")
    expect(page.locator("furrow-bubble")).to_have_count(1)


def test_tag_without_an_assistant_draws_nothing(shop):
    lines: list[str] = []
    shop.page.on("console", lambda line: lines.append(line.text))
    page = shop.open(body=f'<script src="{shop.host}/widget/v1.js" data-assistant=" "></script>')
    expect(page.locator("furrow-bubble")).to_have_count(1)
    assert any("needs data-assistant" in line for line in lines)


def test_hostile_page_styles_do_not_reach_inside(shop):
    page = shop.open(
        body="<style>* { color: red !important; letter-spacing: 9px !important; visibility: hidden !important }</style>"
    )
    page.evaluate("FurrowWidget.open()")
    expect(page.get_by_text("Hello! Ask us about apples")).to_be_visible()
    look = "node => [getComputedStyle(node).color, getComputedStyle(node).letterSpacing]"
    color, spacing = page.get_by_role("textbox").evaluate(look)
    assert color != "rgb(255, 0, 0)"
    assert spacing == "normal"


def test_token_is_never_kept_on_the_device(shop, backend):
    page = shop.open()
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text("Hello! Ask us")).to_be_visible()
    kept = page.evaluate(
        "JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + document.cookie"
    )
    assert "visitor-1" in kept
    assert "tok1" not in kept
