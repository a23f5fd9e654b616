"""Live facts: what is answered from rows, with what time, and what is not answered."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.support.facts.telling import Teller, is_inside
from apps.support.models import ShopSettings, Sku, StockSnapshot
from furrow.assistants.ladder import Exchange
from tests.apps.support.fact_cases import asked, fact_cases, shop_date_set


@pytest.mark.slow
@pytest.mark.parametrize(("name", "right", "refused"), [("facts.tsv", 0.97, 0.98), ("facts_fresh.tsv", 0.92, 0.95)])  # fmt: skip
def test_written_questions_reach_their_bars(shop, name, right, refused):
    shop_date_set()
    results = asked(fact_cases(name))
    wrong = [case.question for case, result in results if not case.is_right(result)]
    for is_absent, bar in ((False, right), (True, refused)):
        verdicts = [
            case.is_right(result) for case, result in results if case.is_absent == is_absent
        ]
        assert sum(verdicts) / len(verdicts) >= bar, wrong


def test_price_comes_from_the_row_with_its_time(stand, ask):
    answer = ask("脐橙多少钱")
    assert "69.90元" in answer.text
    assert "截至" in answer.text
    assert answer.notes["facts"] == ["price"]


def test_row_that_changes_changes_the_answer(stand, ask):
    Sku.objects.filter(code="HN-1").update(price="71.50")
    assert "71.50元" in ask("脐橙多少钱").text


def test_newest_count_of_stock_is_told(stand, ask):
    StockSnapshot.objects.create(sku=stand["orange"], quantity=3)
    assert "现有3件" in ask("脐橙还有货吗").text
    StockSnapshot.objects.create(sku=stand["orange"], quantity=0)
    assert "没有货" in ask("脐橙还有货吗").text


@pytest.mark.parametrize(
    ("language", "text"), [("zh", "脐橙多少钱"), ("en", "How much is the orange?")]
)
def test_row_older_than_its_limit_is_not_told_and_stops_the_ladder(stand, ask, language, text):
    Sku.objects.update(as_of=timezone.now() - timedelta(hours=ShopSettings().price_hours + 1))
    answer = ask(text, language=language)
    assert answer.is_answered  # so that no text below it can say an old price
    assert answer.is_gap
    assert "69.90" not in answer.text


def test_fact_that_no_row_has_is_passed_on(stand, ask):
    assert ask("黄桃净重多少").reason == "not_in_rows"
    assert ask("脐橙的批发价").reason == "beyond_rows"
    assert ask("榴莲多少钱").reason == "no_product"
    assert ask("你们老板叫什么").reason == "not_a_fact"
    assert ask("寄到火星多少运费").reason == "no_region"


def test_two_questions_at_once_are_both_answered(stand, ask):
    text = ask("脐橙大果多少钱，发广东运费多少").text
    assert "69.90元" in text
    assert "8元" in text or "8.00元" in text


def test_what_no_row_knows_of_two_questions_is_said(stand, ask):
    text = ask("黄桃多少钱，净重多少").text
    assert "49.90元" in text
    assert "没有记录" in text


def test_short_follow_up_takes_what_was_asked_before(stand, ask):
    before = Exchange("脐橙多少钱", "…", "fact")
    assert "49.90元" in ask("那黄桃呢", before).text
    assert "冷藏45天" in ask("怎么保存", before).text
    assert not ask("那榴莲呢", before).is_answered


def test_other_goods_with_the_fruit_in_their_name_are_not_it(stand, ask):
    for text in ("樱桃多少钱", "核桃怎么卖", "脐橙树苗多少钱", "脐橙酒价格"):
        assert not ask(text).is_answered, text


def test_another_tenant_sees_no_row(stand, ask, cast):
    from furrow.core.context import tenant_tx  # noqa: PLC0415

    with tenant_tx(cast.other_tenant.id):
        assert ask("脐橙多少钱").reason == "no_product"


def test_figure_that_no_row_gave_is_noticed():
    teller = Teller("zh", ShopSettings(), timezone.now())
    said = teller.say("12.50")
    assert teller.is_backed(f"价格{said}元")
    assert not teller.is_backed("价格12.51元")


@pytest.mark.parametrize(
    ("day", "first", "last", "inside"),
    [
        (1125, 1110, 131, True),
        (131, 1110, 131, True),
        (201, 1110, 131, False),
        (501, 401, 601, True),
    ],
)
def test_window_may_run_over_new_year(day, first, last, inside):
    assert is_inside(day, first, last) is inside
