from importlib import resources

import pytest

from furrow.knowledge.text.folding import fold
from furrow.knowledge.text.stemming import root
from furrow.knowledge.text.synonyms import (
    formal_words,
    other_words,
    search_terms,
    unified,
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("邮费怎么算", "运费怎么算"),
        ("烂果可以退钱吗", "坏果可以退款吗"),
        ("室温15度", "室温15℃"),
        ("5公斤", "5kg"),
        ("When do I get my money back?", "When do I get my refund?"),
        ("rotten fruits", "damaged fruit"),
        ("terminate the contract", "termination of the contract"),
    ],
)
def test_words_for_the_same_thing_become_one(left: str, right: str) -> None:
    ours, theirs = unified(fold(left)).split(), unified(fold(right)).split()
    assert [word for word in ours if word != "of"] == [word for word in theirs if word != "of"]


def test_what_differs_stays_apart() -> None:
    for left, right in [
        ("零售价", "批发价"),
        ("押金", "定金"),
        ("refund", "return"),
        ("温度", "湿度"),
    ]:
        assert unified(left) != unified(right)


def test_a_loose_group_does_not_make_two_questions_one() -> None:
    assert unified("可以带狗吗") == unified("可以带猫吗")
    assert unified("可以带狗吗", loosely=False) != unified("可以带猫吗", loosely=False)
    assert unified("邮费", loosely=False) == "运费"


def test_a_search_looks_for_the_other_words_of_the_group_too() -> None:
    assert "运费" in other_words("邮费怎么收")
    assert "邮费" not in other_words("邮费怎么收")
    assert "shipping" in other_words("what is the postage")
    assert other_words("果园在哪里") == []


def test_the_other_words_weigh_less_than_the_asked_ones() -> None:
    weights = {term.text: term.weight for term in search_terms("邮费怎么收")}
    assert 0 < weights["运费"] < weights["邮费"]
    assert "运" not in weights
    assert len(search_terms("果园")) == len({term.text for term in search_terms("果园")})


def test_everyday_words_lead_to_those_of_rules_and_contracts() -> None:
    assert "解除劳动合同" in formal_words("老板把我辞退了")
    assert formal_words("怎么解除劳动合同") == []
    weights = {term.text: term.weight for term in search_terms("辞退")}
    assert 0 < weights["解除"] < weights["辞退"]


def test_formal_words_only_widen_a_search() -> None:
    assert unified("儿子") != unified("子女")
    assert "儿子" not in formal_words("子女")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("acceptance", "accept"),
        ("deliveries", "deliver"),
        ("confidentiality", "confidential"),
        ("insured", "insur"),
        ("insurance", "insur"),
        ("moment", "moment"),
        ("station", "station"),
    ],
)
def test_roots_leave_the_ending_that_makes_another_kind_of_word(word: str, expected: str) -> None:
    assert root(word) == expected


def test_no_word_stands_in_two_groups() -> None:
    source = resources.files("furrow.knowledge.text") / "synonyms.tsv"
    lines = source.read_text("utf-8").splitlines()
    rows = [line.removeprefix("~").split("\t") for line in lines if line[0] != "#"]
    words = [root(word) if word.isascii() and " " not in word else word for r in rows for word in r]
    assert all(len(row) > 1 for row in rows)
    assert sorted(words) == sorted(set(words))


def test_every_everyday_word_stands_once_and_leads_elsewhere() -> None:
    source = resources.files("furrow.knowledge.text") / "formal.tsv"
    rows = [r.split("\t") for r in source.read_text("utf-8").splitlines() if r[0] != "#"]
    assert len({row[0] for row in rows}) == len(rows)
    assert all(len(row) > 1 and row[0] not in row[1:] for row in rows)
    assert all(fold(word) == word for row in rows for word in row)
