"""Questions that lean on the one before take its words along."""

import uuid

import pytest

from furrow.assistants.follow_up import is_follow_up, search_query
from furrow.assistants.ladder import Exchange, Question
from furrow.assistants.language import language_of


def asked(text, *earlier):
    history = tuple(Exchange(question, "…", rung) for question, rung in earlier)
    return search_query(Question(text, "zh", uuid.uuid4(), history))


@pytest.mark.parametrize(
    "text",
    ["那运费呢？", "那新疆呢", "续重呢", "它怎么保存", "how about 10 kg?", "And to Tibet?", "Why?"],
)
def test_leaning_question_is_recognised(text):
    assert is_follow_up(text)


@pytest.mark.parametrize(
    "text",
    [
        "到北京的运费是多少",
        "猕猴桃怎么催熟",
        "How much is shipping to Beijing?",
        "Do you sell gift boxes?",
    ],
)
def test_question_that_stands_alone_is_not(text):
    assert not is_follow_up(text)


def test_topic_is_the_last_question_that_stood_alone():
    query, is_enriched = asked(
        "那西藏呢", ("苹果到北京的运费多少", "quoted"), ("那新疆呢", "quoted"), ("谢谢", "greeting")
    )
    assert (query, is_enriched) == ("苹果到北京的运费多少 那西藏呢", True)


def test_new_figures_replace_the_old_ones():
    query, _ = asked("how about 10 kg?", ("How much is shipping for 5 kg?", "quoted"))
    assert query == "how much is shipping for ? how about 10 kg?"


def test_without_a_topic_the_question_is_searched_as_it_is():
    assert asked("那运费呢？") == ("那运费呢？", False)
    assert asked("那运费呢？", ("转人工", "human")) == ("那运费呢？", False)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("运费多少", "zh"),
        ("iPhone 怎么卖", "zh"),
        ("How much is 脐橙 per box?", "en"),
        ("5kg?", "zh"),
        ("hi", "en"),
    ],
)
def test_language_follows_the_script(text, language):
    assert language_of(text, default="zh") == language
