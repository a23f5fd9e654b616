import pytest
from hypothesis import given
from hypothesis import strategies as st

from furrow.knowledge.text.folding import fold, fold_with_offsets


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ＨＮ－２０２５／Ａ３", "hn-2025/a3"),
        ("臺灣後來", "台湾后来"),
        ("Café", "cafe"),
        ("Cafe\u0301", "cafe"),
        ("“it’s” – ok", '"it\'s" - ok'),
        ("soft\u00adhyphen", "softhyphen"),
        ("ガ 한국", "ガ 한국"),
    ],
)
def test_spellings_of_the_same_meet(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_a_match_behind_expanding_and_dropped_characters_leads_back() -> None:
    original = "ﬁ\u200b 價 ５㎏"
    folded = fold_with_offsets(original)
    at = folded.text.index("5kg")
    start, end = folded.span(at, at + 3)
    assert original[start:end] == "５㎏"


def test_a_place_inside_an_expanded_character_covers_all_of_it() -> None:
    folded = fold_with_offsets("a㎏")
    assert folded.span(2, 3) == (1, 2)


def test_an_empty_span_stays_empty() -> None:
    assert fold_with_offsets("a㎏b").span(3, 3) == (2, 2)
    assert fold_with_offsets("ab").span(1, 1) == (1, 1)


@given(st.text(max_size=40))
@pytest.mark.slow
def test_every_folded_character_comes_from_its_original(text: str) -> None:
    folded = fold_with_offsets(text)
    assert folded.text == fold(text)
    for at, char in enumerate(folded.text):
        start, end = folded.span(at, at + 1)
        assert char in fold(text[start:end])


@given(st.text(max_size=40))
@pytest.mark.slow
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
