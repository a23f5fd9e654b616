"""Whole ways through the product: on a phone, by the keyboard alone, and in the widget. Makes the README's pictures."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from tests.e2e.conftest import OWNER, ROOT, SHOTS, Furrow, sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PHONE = {
    "locale": "zh-CN", "viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True,
    "device_scale_factor": 2,
}  # fmt: skip
DESK = {"locale": "zh-CN", "viewport": {"width": 1280, "height": 860}}
QUESTION = "Is an unboxing video required?"
PRICES = """<meta charset="utf-8"><style>body{font:30px/2 'Noto Sans CJK SC',sans-serif;width:900px;padding:30px}
td{border-bottom:1px solid #999;padding:4px 40px 4px 0}</style><h2>竹溪茶社价目表</h2><table>
<tr><td>高山绿茶</td><td>每壶38元</td></tr><tr><td>桂花红茶</td><td>每壶46元</td></tr>
<tr><td>手工米糕</td><td>每份18元</td></tr></table><p>包间每小时收费60元，预订请提前两天。</p>"""


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    context = browser.new_context(**PHONE, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.fixture
def desk(browser: Any) -> Iterator[Any]:
    context = browser.new_context(**DESK, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.fixture(scope="module")
def price_photo(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture with words in it, and no words beside it."""
    path: Path = tmp_path_factory.mktemp("photos") / "价目表.png"
    page = browser.new_page(viewport={"width": 980, "height": 640})
    page.set_content(PRICES)
    page.screenshot(path=str(path))
    page.close()
    return path


def shot(page: Any, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"))


def picture(page: Any, name: str) -> None:
    """For the README when FURROW_WRITE_IMAGES=1, else beside the other screenshots. 256 colours are plenty."""
    is_wanted = os.environ.get("FURROW_WRITE_IMAGES") == "1"
    path = (ROOT / "docs" / "images" if is_wanted else SHOTS) / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(path))
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
    assert path.stat().st_size < 300_000


def ask(page: Any, question: str) -> Any:
    before = page.locator("[data-turn]").count()
    page.locator("#chat-text").fill(question)
    page.locator("#chat-text").press("Enter")
    turn = page.locator("[data-turn]").nth(before)
    turn.locator("details.more").wait_for()
    return turn


def test_owner_photographs_a_price_list_and_asks_on_a_phone(
    phone: Any, furrow: Furrow, rows: Any, price_photo: Path
) -> None:
    sign_in(phone, furrow, OWNER, language="zh")
    phone.goto(f"{furrow.url}/t/fresh-zh/")
    shot(phone, "phone-home")
    phone.locator(".step.now button").tap()
    phone.locator("#upload-files").set_input_files(str(price_photo))
    phone.locator("#documents .badge", has_text="可用").wait_for(timeout=90_000)
    shot(phone, "phone-upload")
    phone.locator(".bottombar").get_by_text("首页").tap()
    phone.locator(".step.now .button").tap()
    if phone.locator("#chat-text").count() == 0:
        phone.locator("main form button.primary").tap()
    phone.locator("#chat-text").wait_for()
    turn = ask(phone, "桂花红茶多少钱一壶？")
    assert "46" in turn.locator(".bubble.answered").inner_text()
    assert "价目表" in turn.locator(".citation").first.inner_text()
    turn.scroll_into_view_if_needed()
    shot(phone, "phone-chat")


def test_staff_closes_a_ticket_on_a_phone(phone: Any, furrow: Furrow, rows: Any) -> None:
    sign_in(phone, furrow, "staff-zh@shop.example", language="zh")
    phone.goto(f"{furrow.url}/t/pages-zh/")
    phone.locator(".bottombar summary").tap()
    phone.locator(".bottombar .menu-body").get_by_text("工单").tap()
    phone.locator(".list-row", has_text="六十箱").tap()
    phone.locator("textarea").fill("已经回电话报价")
    phone.get_by_role("button", name="关闭工单").tap()
    phone.locator(".toast").wait_for()
    phone.goto(f"{furrow.url}/t/pages-zh/tickets/{rows['zh']['ticket_id']}/")
    assert "已经回电话报价" in phone.locator("main").inner_text()
    shot(phone, "phone-ticket")


def test_viewer_sees_nothing_to_change(phone: Any, furrow: Furrow, rows: Any) -> None:
    sign_in(phone, furrow, "viewer-en@shop.example", language="en")
    ids = rows["en"]
    paths = [
        "", "knowledge/", f"knowledge/{ids['base_id']}/", f"documents/{ids['document_id']}/", "assistants/",
        f"assistants/{ids['assistant_id']}/", f"assistants/{ids['assistant_id']}/widget/", "answers/", "gaps/",
        "conversations/", f"conversations/{ids['conversation_id']}/", "tickets/", f"tickets/{ids['ticket_id']}/",
    ]  # fmt: skip
    for path in paths:
        response = phone.goto(f"{furrow.url}/t/pages-en/{path}")
        assert response.status == 200, path
        changing = phone.locator(
            "main form[method=post] button[type=submit], main .button.primary:not([method=get] *), main .danger"
        )
        assert changing.count() == 0, f"{path}: {changing.all_inner_texts()}"
    for path in ("members/", "keys/", "audit/", "settings/", "knowledge/new/", "assistants/new/"):
        assert phone.goto(f"{furrow.url}/t/pages-en/{path}").status == 403, path


def tab_to(page: Any, target: Any, *, most: int = 60) -> None:
    """Presses Tab until `target` has the focus, which must show."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            box = "e => getComputedStyle(e).outlineStyle + getComputedStyle(e).opacity"
            assert "none" not in target.evaluate(box)
            return
    raise AssertionError(f"{target} is not reached by the Tab key")


def test_keyboard_alone_signs_in_uploads_and_asks(
    desk: Any, furrow: Furrow, rows: Any, tmp_path: Path
) -> None:
    note = tmp_path / "停车.txt"
    note.write_text("店后面有十二个停车位，买东西的客人停车免费两小时。", encoding="utf-8")
    press = desk.keyboard.press

    desk.goto(furrow.manage("sign_in_link", OWNER).strip())
    tab_to(desk, desk.locator("main button.primary"))
    press("Enter")
    desk.wait_for_url(lambda url: "/link/" not in url)

    desk.goto(f"{furrow.url}/t/pages-zh/")
    tab_to(desk, desk.locator(".nav").get_by_role("link", name="知识", exact=True))
    press("Enter")
    tab_to(desk, desk.locator("a.tile").first)
    press("Enter")

    writing = desk.get_by_role("link", name="写文字")
    tab_to(desk, writing)
    press("Enter")
    desk.locator("#dialog[open] [name=title]").wait_for()
    assert desk.evaluate("document.querySelector('#dialog').contains(document.activeElement)")
    press("Escape")
    assert writing.evaluate("element => element === document.activeElement")

    desk.reload()
    tab_to(desk, desk.locator("#upload-files"))
    with desk.expect_file_chooser() as chooser:
        press("Space")
    chooser.value.set_files(str(note))
    row = desk.locator("#documents tr", has_text="停车")
    row.locator(".badge", has_text="可用").wait_for(timeout=60_000)

    tab_to(desk, desk.locator(".nav").get_by_role("link", name="助手", exact=True))
    press("Enter")
    tab_to(desk, desk.locator("main").get_by_role("link", name="编辑并试用").first)
    press("Enter")
    desk.locator("#chat-text").wait_for()
    # The chat stands behind the whole form; nobody has to walk through it.
    tab_to(desk, desk.locator(".skip-link[href='#try']"), most=2)
    press("Enter")
    tab_to(desk, desk.locator("#chat-text"), most=8)
    desk.keyboard.type("停车位有几个？")
    press("Enter")
    turn = desk.locator("[data-turn]").last
    turn.locator("details.more").wait_for()
    assert "十二" in turn.locator(".bubble.answered").inner_text()


def open_widget(page: Any, furrow: Furrow) -> None:
    page.goto(furrow.shop_url)
    page.get_by_role("button").first.click()
    page.locator("furrow-widget .opening").first.wait_for()


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_open_widget_is_accessible(browser: Any, furrow: Furrow, colors: str) -> None:
    context = browser.new_context(**DESK, color_scheme=colors, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(20_000)
    open_widget(page, furrow)
    page.get_by_role("textbox").fill("赔付需要几张照片？")
    page.get_by_role("textbox").press("Enter")
    page.locator("furrow-widget .sources").first.wait_for()
    found = Axe().run(page, context="furrow-widget", options={"resultTypes": ["violations"]})
    serious = [
        f"{each['id']}: {[node['html'][:160] for node in each['nodes']]}"
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    context.close()
    assert not serious


def test_widget_offers_no_person_where_there_is_none(desk: Any, furrow: Furrow) -> None:
    def without_person(route: Any) -> None:
        session = route.fetch().json()
        session["config"]["human_enabled"] = False
        route.fulfill(json=session, headers={"Access-Control-Allow-Origin": furrow.shop_url})

    open_widget(desk, furrow)
    assert desk.get_by_role("button", name="转人工客服").is_visible()
    desk.route("**/widget/api/sessions", without_person)
    open_widget(desk, furrow)
    desk.locator("furrow-widget .greeting").wait_for()
    assert not desk.get_by_role("button", name="转人工客服").is_visible()


def test_widget_says_that_the_assistant_is_not_published(desk: Any, furrow: Furrow) -> None:
    refusal = {"error": {"code": "not_published", "message": "", "details": {}, "request_id": "r"}}
    headers = {"Access-Control-Allow-Origin": furrow.shop_url}
    desk.route(
        "**/widget/api/sessions",
        lambda route: route.fulfill(status=409, json=refusal, headers=headers),
    )
    open_widget(desk, furrow)
    alert = desk.locator("furrow-widget [role=alert]").first
    alert.get_by_text("店家还没有开通这个对话").wait_for()
    assert desk.get_by_role("textbox").is_disabled()
    assert not desk.get_by_role("button", name="转人工客服").is_visible()
    desk.locator("furrow-widget .language").click()
    alert.get_by_text("The shop has not opened this chat yet").wait_for()


def test_pictures_of_the_readme(browser: Any, furrow: Furrow, rows: Any) -> None:
    context = browser.new_context(**{**DESK, "locale": "en-GB"}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(20_000)
    sign_in(page, furrow, OWNER, language="en")
    page.goto(f"{furrow.url}/t/orchard/assistants/")
    page.locator("main").get_by_role("link", name="Edit and try").first.click()
    ask(page, QUESTION).locator(".citation").first.wait_for()
    assert page.evaluate("scrollY") == 0
    picture(page, "dashboard")
    page.goto(furrow.shop_url)
    page.get_by_role("button").first.click()
    page.locator("furrow-widget .language").click()
    page.get_by_role("textbox").fill(QUESTION)
    page.get_by_role("textbox").press("Enter")
    page.locator("furrow-widget .sources").first.wait_for()
    picture(page, "widget")
    context.close()
