"""What a question is understood to mean: pinyin, slips of the hand, the business's own synonyms."""

import pytest

from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid
from furrow.knowledge.models import SynonymGroup
from furrow.knowledge.services.synonyms import synonym_group_delete, synonym_group_save
from furrow.knowledge.text.pinyin import split_syllables
from furrow.knowledge.text.typos import pairs_near, words_near
from furrow.tenants.services import SYSTEM
from tests.replay import made_once


@pytest.fixture
def tools(shop):
    return made_once("knowledge, tools", lambda: _tools(shop))


def _tools(shop):
    shop.add_text("保修", "微耕机保修十八个月，水泵保修一年。")
    shop.add_text("退货", "没有用过的商品七天内可以退货。")
    shop.add_text("发票", "开专用发票要带税号。")
    shop.add_text("Warranty", "Pumps carry a one-year warranty.")
    shop.add_text("Code", "货号 CB-01 的茶叶每罐八十元。")
    shop.run_jobs()
    return shop


# Asking changes nothing, so all questions of a kind are put to one set of documents.
def test_pinyin_finds_chinese(tools, subtests):
    for typed, title in {
        "baoxiu": "保修",
        "tuihuo": "退货",
        "kai fapiao": "发票",
        "shuibeng baoxiu duojiu": "保修",
    }.items():
        with subtests.test(typed=typed):
            result = tools.search(typed, mode="lexical")
            assert result.hits[0].title == title
            assert result.additions[0].kind == "pinyin"


def test_one_slip_finds_what_was_meant(tools, subtests):
    for typed, title in {
        "保休": "保修",
        "退贷": "退货",
        "发漂": "发票",
        "warrenty": "Warranty",
        "waranty": "Warranty",
    }.items():
        with subtests.test(typed=typed):
            result = tools.search(typed, mode="lexical")
            assert result.hits[0].title == title
            assert [addition.kind for addition in result.additions] == ["typo"]


def test_what_is_written_right_is_left_alone(tools, subtests):
    for question in ("保修多久", "one-year warranty", "CB-01", "退货"):
        with subtests.test(question=question):
            assert tools.search(question, mode="lexical").additions == []


def test_question_as_meant_is_told(tools):
    assert tools.search("weigengji baoxiu", mode="lexical").question == "微耕机保修"
    assert tools.search("保休多久", mode="lexical").question == "保修多久"


def test_code_is_never_put_right(tools):
    assert tools.search("CB-02", mode="lexical").additions == []


def test_own_synonyms_find_each_other(tools, cast):
    assert tools.found("大红袍多少钱", mode="lexical") == []
    with tenant_tx(tools.tenant_id):
        group = synonym_group_save(actor=SYSTEM, words=["大红袍", "CB-01"])
    result = tools.search("大红袍多少钱", mode="lexical")
    assert result.hits[0].title == "Code"
    assert result.additions[0] == ("synonym", "大红袍", "CB-01")
    with tenant_tx(cast.other_tenant.id):
        assert not SynonymGroup.objects.exists()
    with tenant_tx(tools.tenant_id):
        synonym_group_delete(actor=SYSTEM, group=group)
    assert tools.found("大红袍多少钱", mode="lexical") == []


def test_formal_words_are_looked_for_and_told(shop):
    shop.add_text("Handbook", "用人单位解除劳动合同的，应当提前三十日书面通知。")
    shop.add_text("Fruit", "苹果三十天内送到。")
    shop.run_jobs()
    result = shop.search("老板要辞退我", mode="lexical", explain=True)
    assert result.hits[0].title == "Handbook"
    told = {(kind, said, meant) for kind, said, meant in result.additions}
    assert {("formal", "老板", "用人单位"), ("formal", "辞退", "解除劳动合同")} <= told
    assert ("formal", "老板", "雇主") not in told
    assert result.question == "老板要辞退我"


@pytest.mark.parametrize("words", [["one"], ["same", "ＳＡＭＥ"], ["x" * 61, "y"], []])
def test_group_needs_two_words_of_bearable_length(shop, words):
    with tenant_tx(shop.tenant_id), pytest.raises(Invalid):
        synonym_group_save(actor=SYSTEM, words=words)


def test_syllables_are_the_fewest():
    assert split_syllables("tuihuozhengce") == ("tui", "huo", "zheng", "ce")
    assert split_syllables("warranty") == ()
    assert split_syllables("xian") == ("xian",)


def test_near_words_are_one_slip_away():
    assert {"warranty", "warrent"} <= words_near("warrenty")
    assert words_near("abc") == frozenset()
    assert "退货" in pairs_near("退贷")
    assert "保修" in pairs_near("保休")
