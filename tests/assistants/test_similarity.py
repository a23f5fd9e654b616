"""Two questions match only when they surely ask the same thing."""

import pytest

from furrow.assistants.figures import codes_of, figures_of, without_figures
from furrow.assistants.rungs.approved import THRESHOLD
from furrow.assistants.similarity import profile, similarity

SAME = [
    ("运费怎么算？", "请问运费如何算"),
    ("你们什么时候发货", "什麼時候發貨？"),
    ("满多少包邮？", "满多少包邮呢"),
    ("可以开发票吗", "能不能开发票"),
    ("5公斤装多少钱", "5kg装多少钱？"),
    ("十斤装多少钱", "10斤装多少钱"),
    ("How much is shipping?", "how much is the shipping"),
    ("When will you ship my order?", "When will you ship my order"),
    ("What is your refund policy?", "What's your refund policy"),
    ("Do you sell gift boxes?", "do you sell gift boxs"),
    ("审一份合同多少钱", "审一份合同什么价格"),
    ("多少钱", "多少钱？"),
    ("邮费怎么算", "运费怎么算？"),
    ("烂果怎么退钱", "坏果怎么退款"),
    (
        "Some of my fruit arrived rotten, what should I do?",
        "My fruit arrived damaged. What do I do?",
    ),
    ("How do I reimburse a rotten box?", "How do I refund a damaged box?"),
]
DIFFERENT = [
    ("5公斤装多少钱", "10公斤装多少钱"),
    ("How much is the 5kg box?", "How much is the 10 kg box?"),
    ("寄到新疆要几天", "寄到西藏要几天"),
    ("可以退款吗", "不可以退款吗"),
    ("什么时候发货", "从哪里发货"),
    ("怎么发货", "什么时候发货"),
    ("红富士苹果怎么保存", "猕猴桃怎么保存"),
    ("How do I store apples?", "How do I store pears?"),
    ("Do you ship to Tibet?", "Do you ship to Xinjiang?"),
    ("HN-2025/A3 多少钱", "HN-2025/A4 多少钱"),
    ("How can I return an order?", "When can I return an order?"),
    ("运费多少", "退款要多久"),
    ("多少钱", "怎么办"),
    ("5公斤苹果和10公斤梨多少钱", "10公斤苹果和5公斤梨多少钱"),
    ("收到坏果怎么办", "收到判决怎么办"),
    ("可以带狗吗", "可以带猫吗"),
    ("May I bring a dog?", "May I bring a cat?"),
    ("Do you use AI tools?", "is this an AI"),
    ("押金什么时候退", "定金什么时候退"),
    ("When will you ship my order?", "When will you deliver my order?"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_same_question_matches(left, right):
    assert similarity(profile(left), profile(right)) >= THRESHOLD


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different_question_does_not_match(left, right):
    assert similarity(profile(left), profile(right)) < THRESHOLD


@pytest.mark.parametrize(("left", "right"), [*SAME, *DIFFERENT])
def test_similarity_is_symmetric(left, right):
    there, back = profile(left), profile(right)
    assert similarity(there, back) == pytest.approx(similarity(back, there))


def test_figures_meet_in_one_spelling():
    assert figures_of("两箱5公斤的") == figures_of("2 boxes of 5 kg")
    assert figures_of("请问一下") == ()
    assert figures_of("1,200元") == ("1200 yuan",)


def test_codes_are_not_measures():
    assert codes_of("HN-2025/A3 的 5kg 装") == {"hn2025a3"}


def test_figures_can_be_taken_out():
    assert without_figures("How much is 5 kg of HN-2025/A3?") == "how much is of ?"
