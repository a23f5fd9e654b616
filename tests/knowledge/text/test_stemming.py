import pytest

from furrow.knowledge.text.stemming import stem


@pytest.mark.parametrize(
    "forms",
    [
        ["apple", "apples"],
        ["policy", "policies"],
        ["ship", "ships", "shipped", "shipping"],
        ["change", "changes", "changed", "changing"],
        ["box", "boxes"],
        ["apply", "applies", "applied", "applying"],
    ],
)
def test_forms_of_one_word_share_a_stem(forms: list[str]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize("word", ["news", "gas", "during", "bus", "red", "is", "glass", "analysis"])
def test_words_that_only_look_inflected_stay(word: str) -> None:
    assert stem(word) == word
