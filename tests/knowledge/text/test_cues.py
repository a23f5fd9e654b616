import pytest

from furrow.knowledge.text.cues import question_cues


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("什么时候发货", "when"),
        ("when do you ship", "when"),
        ("运费多少钱", "number"),
        ("how much is shipping", "number"),
        ("店在哪里", "where"),
        ("谁来赔付", "who"),
        ("为什么退款慢", "why"),
        ("怎么保存", "how"),
        ("有哪些品种", "list"),
        ("这种梨叫什么", "name"),
        ("预售是什么", "definition"),
    ],
)
def test_a_question_asks_for_its_kind(question: str, kind: str) -> None:
    assert question_cues(question).asks(kind)


def test_a_plain_statement_asks_for_nothing() -> None:
    assert question_cues("苹果香梨").kinds == ()


def test_a_counted_noun_is_sought_with_its_number() -> None:
    cues = question_cues("一年收几次")
    assert cues.shows_measure("每年收三次")
    assert not cues.shows_measure("每年收三箱")


def test_shown_counts_only_what_was_asked() -> None:
    assert question_cues("什么时候发货").shown("3月5日因雨停发") == {"when": 2}
