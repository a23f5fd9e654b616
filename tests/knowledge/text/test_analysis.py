import pytest

from furrow.knowledge.text.analysis import analyse, analyse_query, joined_terms


def terms(text: str) -> dict[str, float]:
    return dict(analyse(text))


def query(text: str) -> dict[str, float]:
    return dict(analyse_query(text))


def meet(question: str, passage: str) -> set[str]:
    return query(question).keys() & terms(passage).keys()


def test_chinese_gives_characters_and_pairs_with_counts() -> None:
    assert terms("退货退款") == {"退": 2, "货": 1, "款": 1, "退货": 1, "货退": 1, "退款": 1}


def test_pairs_do_not_cross_punctuation_or_words() -> None:
    assert "货款" not in terms("退货，款项")
    assert "货款" not in terms("退货A款项")


@pytest.mark.parametrize("asked", ["HN-2025/A3", "hn2025a3", "ＨＮ－２０２５／Ａ３", "hn 2025 a3"])
def test_a_product_code_is_found_however_it_is_typed(asked: str) -> None:
    assert meet(asked, "型号 HN-2025/A3 到货")


def test_a_whole_code_outweighs_its_parts() -> None:
    weights = query("HN-2025/A3")
    assert weights["hn-2025/a3"] > weights["2025"]
    assert weights["hn-2025/a3"] > weights["a3"]


def test_a_lone_letter_of_a_code_is_no_term() -> None:
    assert "a" not in terms("HN-2025/A3")


@pytest.mark.parametrize(
    ("asked", "written", "shared"),
    [
        ("39.9", "¥39.90", "39.9"),
        ("1000元", "1,000 元", "1000"),
        ("1000元", "1000 元", "1000元"),
        ("10kg", "10 kg", "10kg"),
        ("4分钟", "４ 分钟", "4分"),
        ("13812345678", "138-1234-5678", "13812345678"),
        ("13812345678", "138 1234 5678", "13812345678"),
        ("4047025123456", "EAN 4 047025 123456", "4047025123456"),
        ("62042RS", "6204-2RS/C3", "62042rs"),
        ("iphone 15", "iPhone15", "iphone"),
        ("第17条", "第十七条", "第17条"),
        ("第1024条", "第一千零二十四条", "第1024条"),
        ("第105条", "第一〇五条", "第105条"),
        ("email", "e-mail", "email"),
        ("policy", "policies", "policy"),
        ("shipping", "shipped", "ship"),
        ("v1.2.3", "V1.2.3", "v1.2.3"),
        ("50%", "50％", "50%"),
        ("C++", "c++", "c++"),
    ],
)
def test_numbers_codes_and_forms_meet(asked: str, written: str, shared: str) -> None:
    assert shared in meet(asked, written)


def test_a_code_typed_in_pieces_is_put_together() -> None:
    assert "f026400123" in joined_terms("filter f 026 400 123")
    assert joined_terms("when do pears ship") == []
    assert len(joined_terms("1 2 3 " * 300)) < 40
    assert not [term for term in terms("1 2 3 4 5 6 7 8") if len(term) > 1]


def test_a_year_with_its_unit_and_the_month_after_it_are_both_kept() -> None:
    assert {"2025年", "3月", "1日"} <= terms("2025年3月1日").keys()


def test_english_stop_words_are_dropped_and_possessives_cut() -> None:
    assert terms("the shop's return") == {"shop": 1, "return": 1}


def test_question_words_count_only_in_passages() -> None:
    assert "什么" in terms("什么时候发货")
    assert query("请问什么时候发货？").keys() == {"发", "货", "发货"}


def test_no_pair_crosses_the_edge_of_a_question_word() -> None:
    assert query("运费多少钱").keys() == {"运", "费", "运费"}


def test_a_repeated_word_weighs_more_but_not_twice() -> None:
    once, twice = query("苹果")["苹果"], query("苹果和苹果")["苹果"]
    assert once < twice < 2 * once


def test_overlong_tokens_leave_only_their_short_parts() -> None:
    found = terms("https://shop.example/" + "x" * 300 + "/apple")
    assert "apple" in found
    assert max(map(len, found)) <= 64


def test_the_same_question_gives_the_same_terms_in_the_same_order() -> None:
    assert analyse_query("HN-2025 多少钱一斤") == analyse_query("HN-2025 多少钱一斤")
