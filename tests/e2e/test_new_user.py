"""A new user's path, as a new user would walk it: start, sign in, upload, ask, publish, embed, ask there."""

import http.server
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import SHOTS, Furrow, print_pdf

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

STYLE = "<style>body{font:14px/1.8 'Noto Sans CJK SC',sans-serif} h1{break-before:page}</style>"
LEAFLET = f"""{STYLE}
<h1 style="break-before:auto">竹溪茶社待客须知</h1>
<p>竹溪茶社开在老街尽头，前院喝茶，后院看竹。店里供应绿茶、红茶和自家做的米糕。</p>
<h1>预订与退订</h1>
<p>包间最多坐十二位客人。预订包间需要提前两天打电话，并付定金一百二十元。开席前一天取消的，定金全部退还。</p>
<h1>House rules</h1>
<p>Dogs are welcome in the front yard on a lead. The kitchen closes at 20:45 every evening.</p>
"""
PAGES = {"zh": 2, "en": 3}
QUESTIONS = {"zh": "预订包间要付多少定金？", "en": "When does the kitchen close?"}
ANSWERS = {"zh": "定金一百二十元", "en": "20:45"}


@pytest.fixture(scope="module")
def leaflet(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return print_pdf(browser, LEAFLET, tmp_path_factory.mktemp("files") / "茶社须知.pdf")


@pytest.fixture(scope="module")
def signed_in(browser: Any, furrow: Furrow) -> Any:
    """A signed-in owner on a desktop screen, in Chinese."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(furrow.sign_in_link)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_load_state()
    yield page
    context.close()


def shot(page: Any, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"))


def ask(page: Any, question: str) -> Any:
    """Asks in the live test chat and returns the finished turn."""
    before = page.locator("[data-turn]").count()
    page.locator("#chat-text").fill(question)
    page.locator("#chat-text").press("Enter")
    turn = page.locator("[data-turn]").nth(before)
    turn.locator("details.more").wait_for(timeout=30_000)
    return turn


def test_upload_try_publish_embed(signed_in: Any, furrow: Furrow, leaflet: Path) -> None:
    page = signed_in
    page.goto(f"{furrow.url}/t/orchard/knowledge/new/")
    page.locator("main input[name=name]").fill("茶社")
    page.locator("main form[method=post] button.primary").click()
    page.wait_for_url("**/knowledge/*-*/")

    page.locator("#upload-files").set_input_files(str(leaflet))
    page.locator("#documents .badge", has_text="可用").wait_for(timeout=60_000)
    shot(page, "knowledge")

    page.goto(f"{furrow.url}/t/orchard/assistants/new/")
    page.locator("main input[name=name]").fill("茶社小二")
    page.get_by_label("茶社", exact=True).check()
    page.locator("main form[method=post] button.primary").click()
    page.locator("#chat-text").wait_for()
    for language in ("zh", "en"):
        turn = ask(page, QUESTIONS[language])
        assert ANSWERS[language] in turn.locator(".bubble.answered").inner_text()
        citation = turn.locator(".citation").first.inner_text()
        assert f"第 {PAGES[language]} 页" in citation, citation
    shot(page, "assistant")

    page.get_by_text("发布", exact=True).first.click()
    page.get_by_role("button", name="立即发布").click()
    page.wait_for_load_state()
    assert "版本 1" in page.locator(".page-head").inner_text()

    page.get_by_role("link", name="放到网站上").click()
    snippet = page.locator("#snippet").inner_text()
    with other_site(snippet) as (origin, folder):
        page.locator("[name=allowed_origins]").fill(origin)
        page.locator("[data-widget-form] button.primary").click()
        page.wait_for_load_state()
        shot(page, "widget-settings")
        (folder / "index.html").write_text(
            f"<!doctype html><title>茶社</title><h1>茶社</h1>{snippet}"
        )
        _ask_in_widget(page.context, origin)


class other_site:
    """A plain web server of somebody else, on another port."""

    def __init__(self, snippet: str) -> None:
        self.snippet = snippet

    def __enter__(self) -> tuple[str, Path]:
        import tempfile  # noqa: PLC0415

        folder = Path(tempfile.mkdtemp(prefix="shop-site-"))
        handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
        handler.log_message = lambda *args: None  # type: ignore[attr-defined]
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}", folder

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def _ask_in_widget(context: Any, origin: str) -> None:
    page = context.browser.new_page(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page.set_default_timeout(20_000)
    page.goto(origin)
    page.get_by_role("button").first.click()
    box = page.get_by_role("textbox")
    for language in ("zh", "en"):
        box.fill(QUESTIONS[language])
        box.press("Enter")
        page.get_by_text(ANSWERS[language]).first.wait_for()
    shot(page, "widget-phone")
    page.close()


def test_demo_shop_answers_in_both_languages(browser: Any, furrow: Furrow) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    page.set_default_timeout(20_000)
    page.goto(furrow.shop_url)
    page.get_by_role("button").first.click()
    box = page.get_by_role("textbox")
    box.fill("赔付需要几张照片？")
    box.press("Enter")
    page.get_by_text("照片需要3张").first.wait_for()
    shot(page, "demo-shop")
    page.close()


def test_doctor_finds_everything_well(furrow: Furrow) -> None:
    assert "Everything is well." in furrow.manage("doctor")


def test_start_is_within_its_bars(furrow: Furrow) -> None:
    assert furrow.seconds_to_ready < 180
