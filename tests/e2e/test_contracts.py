"""A contract in a real browser: handed in, reviewed by the keyboard, taken away with its tracked changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import OWNER, SHOTS, Furrow, sign_in

# With the trade taken out there is nothing to test.
redline = pytest.importorskip("apps.contracts.redline")
office = pytest.importorskip("tests.apps.contracts.conftest")
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

DESK = {"locale": "zh-CN", "viewport": {"width": 1280, "height": 860}}
PHONE = {"locale": "zh-CN", "viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}  # fmt: skip


@pytest.fixture(params=["desk", "phone"])
def look(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Any, look: str) -> Iterator[Any]:
    context = browser.new_context(
        **(DESK if look == "desk" else PHONE), reduced_motion="reduce", accept_downloads=True
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def shot(page: Any, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"contracts-{name}.png"))


def test_demo_office_has_reviewed_contracts(page: Any, furrow: Furrow, look: str) -> None:
    sign_in(page, furrow, OWNER, language="zh")
    page.goto(f"{furrow.url}/t/lawoffice/contracts/")
    row = page.locator(".list-row", has_text="商铺租赁合同")
    row.locator(".badge", has_text="待处理").wait_for()
    shot(page, f"list-{look}")
    row.click()
    page.locator(".finding").first.wait_for()
    assert page.locator(".review-text .found").count() > 0
    shot(page, f"demo-{look}")


def test_contract_is_reviewed_end_to_end(
    page: Any, furrow: Furrow, look: str, tmp_path: Path
) -> None:
    file = tmp_path / f"苹果买卖合同 {look}.docx"
    file.write_bytes(office.word_file())
    sign_in(page, furrow, OWNER, language="zh")
    page.goto(f"{furrow.url}/t/lawoffice/contracts/")
    page.get_by_role("link", name="上传合同").first.click()
    page.locator("#dialog[open] input[type=file]").set_input_files(str(file))
    page.locator("#dialog[open] button[type=submit]").click()
    page.get_by_role("link", name="开始审查").click()

    # The side decides which rules are looked at; the proposal fits the kind that was read.
    assert page.locator("select[name=playbook] option:checked").inner_text() == "农产品买卖"
    page.locator("select[name=side]").select_option(label="买方")
    page.locator("#rules", has_text="买方：预付款不超过百分之三十").wait_for()
    shot(page, f"start-{look}")
    page.get_by_role("button", name="开始审查").click()
    page.locator(".finding").first.wait_for()
    shot(page, f"review-{look}")

    decided = decide_by_keys(page) if look == "desk" else decide_by_taps(page)
    page.goto(page.url.partition("?")[0] + "?show=decided")
    assert page.locator(".finding").count() == decided
    shot(page, f"decided-{look}")

    with page.expect_download() as download:
        page.get_by_role("link", name="下载带修订的 Word").click()
    lines = redline.paragraphs_read(Path(download.value.path()).read_bytes())
    wanted = office.SALE.replace("预付合同总价的50%", "预付合同总价的30%").split("\n")
    assert [line for line in lines if line.strip()] == [line for line in wanted if line.strip()]


def test_contract_is_asked_and_a_finding_given_to_somebody(
    page: Any, furrow: Furrow, look: str
) -> None:
    sign_in(page, furrow, OWNER, language="zh")
    base = f"{furrow.url}/t/lawoffice/contracts/"
    page.goto(f"{base}questions/")
    page.locator("textarea[name=text]").fill("租金怎么支付？")
    page.get_by_role("button", name="提问").click()
    answer = page.locator(".file-answer", has_text="商铺租赁合同")
    answer.wait_for()
    quote = answer.locator(".finding-quote").first.inner_text()
    assert "租金" in quote
    shot(page, f"question-{look}")
    # The place leads to the paragraph that holds the quote.
    answer.locator(".answer-line a").first.click()
    anchor = page.url.partition("#")[2]
    assert quote[:12] in page.locator(f"#{anchor}").inner_text()

    card = page.locator(".finding").first
    title = card.locator("h3").inner_text()
    card.locator("details[data-key=e] > summary").click()
    card.locator("select[name=assignee]").select_option(index=1)
    card.get_by_role("button", name="转交").click()
    page.locator("#counts", has_text="我的").wait_for()
    page.goto(f"{base}findings/mine/")
    page.locator(".list-row", has_text=title).first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"mine-{look}")


def decide_by_keys(page: Any) -> int:
    """Accepts the change of the advance payment, rejects the finding before it, takes one decision back."""
    wanted = page.locator(".finding", has_text="买方：预付款不超过百分之三十")
    place = [card.inner_text() for card in page.locator(".finding").all()].index(
        wanted.inner_text()
    )
    press = page.keyboard.press
    for _ in range(place + 1):
        press("j")
    assert page.evaluate("document.activeElement.id") == wanted.get_attribute("id")
    press("a")
    page.locator(".finding.accepted").wait_for()
    assert page.locator(".review-text .found.accepted").count() >= 1
    press("k")
    press("r")
    page.locator(".finding.rejected").wait_for()
    press("u")
    page.locator(".finding.rejected").wait_for(state="detached")
    press("r")
    page.locator(".finding.rejected").wait_for()
    assert page.locator("#counts").inner_text().count("2") >= 1
    return 2


def decide_by_taps(page: Any) -> int:
    wanted = page.locator(".finding", has_text="买方：预付款不超过百分之三十")
    wanted.get_by_role("button", name="接受").tap()
    page.locator(".finding.accepted").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return 1
