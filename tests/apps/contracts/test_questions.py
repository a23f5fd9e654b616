"""Questions over contracts: each file answers for itself, by quotes of its own, whatever a model writes."""

import json

import pytest
from django.urls import reverse

from apps.contracts import selectors
from apps.contracts.asking.answers import quotes_find
from apps.contracts.models import Inquiry
from apps.contracts.reading import ContractText, contract_read
from apps.contracts.services.contracts import contract_delete
from apps.contracts.services.inquiries import inquiry_ask, inquiry_delete
from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid, NotFound
from furrow.tenants.services import SYSTEM
from tests import fixtures_chat
from tests.apps.contracts.conftest import SALE, handed_in, jobs_run
from tests.fixtures_chat import answer, openai_usage
from tests.replay import made_once

_chat_process = fixtures_chat._chat_process
chat_server = fixtures_chat.chat_server

# The same template, filled in for somebody else.
TWIN = (
    SALE.replace("洛川县塬上果业有限公司", "白水县渭北果业有限公司")
    .replace("45日内付清", "15日内付清")
    .replace("100,000元（大写：壹拾万元整）", "80,000元（大写：捌万元整）")
)
LEASE = """商铺租赁合同
出租方：西安长安优品商贸有限公司
承租方：张晓梅
第一条 租金
月租金为3,000元，按季支付。
第二条 维修
房屋主体结构的维修由出租方负责，日常损耗由承租方负责。"""
PAYS = "乙方应在验收合格后{n}日内付清余款。"


@pytest.fixture
def three(cast):
    """Two of one template, and a lease."""

    def make():
        made = {
            name: handed_in(cast.tenant, text.encode(), f"{name}.txt")
            for name, text in (
                ("苹果买卖 塬上", SALE),
                ("苹果买卖 渭北", TWIN),
                ("商铺租赁", LEASE),
            )
        }
        jobs_run()
        return made

    return made_once("three contracts, read", make)


def asked(cast, text, **values):
    with tenant_tx(cast.tenant.id):
        inquiry = inquiry_ask(actor=SYSTEM, text=text, **values)
    jobs_run()
    with tenant_tx(cast.tenant.id):
        found = selectors.inquiry_get(inquiry.id)
        return found, selectors.inquiry_answers(found)


def quotes(row):
    return [line["quote"] for line in row.lines]


def test_look_alikes_answer_apart_and_are_named_so(cast, three):
    inquiry, rows = asked(cast, "余款多少日内付清")
    by_title = {row.contract.title: row for row in rows}
    assert set(by_title) == {"苹果买卖 塬上", "苹果买卖 渭北"}
    for title, days in (("苹果买卖 塬上", 45), ("苹果买卖 渭北", 15)):
        assert PAYS.format(n=days) in "".join(quotes(by_title[title]))
        assert PAYS.format(n=60 - days) not in "".join(quotes(by_title[title]))
    assert by_title["苹果买卖 塬上"].alike == [str(three["苹果买卖 渭北"].id)]
    assert (inquiry.state, inquiry.others, inquiry.cost_amount) == ("done", 1, 0)


def test_every_line_is_a_quote_at_its_place(cast, three):
    _inquiry, rows = asked(cast, "主体结构的维修由谁负责")
    assert [row.contract.title for row in rows] == ["商铺租赁"]
    line = rows[0].lines[0]
    with tenant_tx(cast.tenant.id):
        text = selectors.version_newest(three["商铺租赁"]).text
    assert text[line["start"] : line["end"]] == line["quote"]
    assert "出租方负责" in line["quote"]
    assert line["clause"] == "第二条 维修"


def test_named_party_narrows_the_question_to_its_contract(cast, three):
    _inquiry, rows = asked(cast, "白水县渭北果业有限公司的合同余款多少日内付清")
    assert [row.contract.title for row in rows] == ["苹果买卖 渭北"]


def test_chosen_contracts_alone_are_read(cast, three):
    inquiry, rows = asked(cast, "余款多少日内付清", contract_ids=[three["苹果买卖 塬上"].id])
    assert [row.contract.title for row in rows] == ["苹果买卖 塬上"]
    assert inquiry.total == 1


def test_what_no_contract_says_finds_none(cast, three):
    inquiry, rows = asked(cast, "员工的年终奖金怎么计算")
    assert rows == []
    assert inquiry.others == 3


def says(*lines):
    text = json.dumps({"lines": list(lines)}, ensure_ascii=False)
    return answer(text, usage=openai_usage(500, 80))


def test_model_writes_for_one_contract_at_a_time(cast, three, chat_server):
    """It sees one file's passages; a quote of the other file is none of this one."""
    other = PAYS.format(n=15)
    chat_server.events = says(
        {"text": "乙方应在验收合格后15日内付清余款。", "passage": 1, "quote": other}
    )
    inquiry, rows = asked(cast, "余款多少日内付清", with_model=True)
    by_title = {row.contract.title: row for row in rows}
    assert by_title["苹果买卖 渭北"].lines[0]["quote"] == other
    assert by_title["苹果买卖 渭北"].source == "model"
    # The first contract's own words stand instead of the other's.
    assert by_title["苹果买卖 塬上"].source == "quoted"
    assert PAYS.format(n=45) in "".join(quotes(by_title["苹果买卖 塬上"]))
    assert inquiry.dropped == 1
    assert inquiry.cost_amount > 0
    prompts = [body["messages"][-1]["content"] for body in chat_server.bodies]
    assert len(prompts) == 2
    assert not any("45日内付清" in prompt and "15日内付清" in prompt for prompt in prompts)


def test_words_that_the_quote_does_not_support_give_way_to_it(cast, three, chat_server):
    quote = PAYS.format(n=45)
    chat_server.events = says({"text": "乙方可以在90日内付清余款。", "passage": 1, "quote": quote})
    _inquiry, rows = asked(
        cast, "余款多少日内付清", with_model=True, contract_ids=[three["苹果买卖 塬上"].id]
    )
    assert (rows[0].lines[0]["text"], rows[0].lines[0]["quote"]) == ("", quote)


@pytest.mark.parametrize(
    "reply",
    [
        says({"text": "可以。", "passage": 7, "quote": "可以"}),
        pytest.param(says({"text": 1, "passage": "1", "quote": None}), marks=pytest.mark.slow),
        pytest.param(says(), marks=pytest.mark.slow),
        pytest.param(answer("不知道", usage=openai_usage(1, 1)), marks=pytest.mark.slow),
    ],
)
def test_answer_without_words_of_the_contract_leaves_its_own_quotes(
    cast, three, chat_server, reply
):
    chat_server.events = reply
    inquiry, rows = asked(
        cast, "余款多少日内付清", with_model=True, contract_ids=[three["苹果买卖 塬上"].id]
    )
    assert inquiry.state == "done"
    assert [row.source for row in rows] == ["quoted"]
    assert PAYS.format(n=45) in "".join(quotes(rows[0]))


def test_server_that_is_away_leaves_the_quotes(cast, three, chat_server):
    chat_server.refusals = [(400, {}, {"message": "no"})] * 9
    inquiry, rows = asked(cast, "余款多少日内付清", with_model=True)
    assert inquiry.note == "unavailable"
    assert len(rows) == 2


def test_question_is_refused_that_asks_nothing_or_of_what_is_not_there(cast, three):
    with tenant_tx(cast.tenant.id):
        for text in ("", " ？ ", "x" * 501):
            with pytest.raises(Invalid):
                inquiry_ask(actor=SYSTEM, text=text)
        with pytest.raises(Invalid):
            inquiry_ask(actor=SYSTEM, text="余款何时付清", with_model=True)
    with tenant_tx(cast.other_tenant.id), pytest.raises(NotFound):
        inquiry_ask(actor=SYSTEM, text="余款何时付清", contract_ids=[three["商铺租赁"].id])


def test_removed_contract_takes_its_answer_along(cast, three):
    inquiry, _rows = asked(cast, "余款多少日内付清")
    with tenant_tx(cast.tenant.id):
        contract_delete(actor=SYSTEM, contract=three["苹果买卖 渭北"])
        titles = [row.contract.title for row in selectors.inquiry_answers(inquiry)]
        assert titles == ["苹果买卖 塬上"]
        three["苹果买卖 塬上"].delete()
        assert selectors.inquiry_answers(inquiry) == []
        inquiry_delete(actor=SYSTEM, inquiry=inquiry)
        assert not Inquiry.objects.exists()


def test_question_is_asked_and_answered_on_its_page(cast, three):
    owner, slug = cast.client(cast.owner), cast.tenant.slug
    owner.cookies["django_language"] = "en"
    page = reverse("contracts:questions", args=[slug])
    ticked = f"{page}?contract={three['商铺租赁'].id}"
    assert owner.get(ticked).content.decode().count(" checked") == 1
    made = owner.post(page, {"text": "余款多少日内付清"})["Location"]
    assert "being read" in owner.get(made).content.decode()
    jobs_run()
    shown = owner.get(made).content.decode()
    assert shown.count("Reads nearly the same as") == 2
    assert "paragraph" in shown
    assert f"#p-{_line_paragraph(cast)}" in shown
    again = owner.post(page, {"text": "x"}).content.decode()
    assert "Ask in two to five hundred characters." in again


def _line_paragraph(cast):
    with tenant_tx(cast.tenant.id):
        row = selectors.inquiry_answers(Inquiry.objects.get())[0]
        return row.lines[0]["paragraph"]


def test_english_contract_answers_in_its_words():
    lines = ["Lease", "1. Rent", "The Tenant shall pay USD 1,000 each month.", "2. Notice",
             "Either party may end this lease with sixty days written notice."]  # fmt: skip
    contract = contract_read(ContractText.from_paragraphs(lines))
    found = quotes_find("What is the notice period to end the lease?", contract, "Lease")
    assert found.lines[0].quote == lines[-1]
