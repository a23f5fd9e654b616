import pytest

from furrow.knowledge.quoting import Passage, Quote, pick_sentences

SHIPPING = Passage(
    "shipping",
    "青禾果园成立于2008年。现货订单当天发货，一般2天送达。首5公斤运费8元，满99元包邮。"
    "由于冬季大雪，新疆暂不发货。",
    document_title="配送说明",
    score=9.0,
)
CLAIMS = Passage(
    "claims",
    "收到坏果请拍照。签收后48小时内联系客服，按坏果比例退款。超过时限不再受理。",
    document_title="售后说明",
    score=7.0,
)


def best(question: str, *passages: Passage) -> Quote:
    return pick_sentences(question, passages or (SHIPPING, CLAIMS))[0]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("运费多少钱？", "8元"),
        ("坏果怎么退款？", "按坏果比例退款"),
        ("为什么新疆不发货？", "由于冬季大雪"),
        ("果园什么时候成立的？", "2008年"),
    ],
)
def test_the_sentence_with_the_answer_comes_first(question: str, answer: str) -> None:
    assert answer in best(question).text


def test_quotes_are_verbatim_pieces_of_their_passage() -> None:
    texts = {"shipping": SHIPPING.text, "claims": CLAIMS.text}
    for quote in pick_sentences("多久发货，坏果怎么退款？", [SHIPPING, CLAIMS], limit=5):
        assert texts[str(quote.passage_id)][quote.start : quote.end] == quote.text


def test_english_is_answered_too() -> None:
    passage = Passage(
        "en",
        "Our orchard opened in 2008. Shipping costs 8 yuan for the first 5 kg. "
        "Damaged fruit is refunded within 48 hours.",
        score=5.0,
    )
    assert best("How much does shipping cost?", passage).text.startswith("Shipping costs 8 yuan")
    assert "48 hours" in best("When do you refund damaged fruits?", passage).text


def test_words_of_the_title_do_not_choose_among_its_sentences() -> None:
    passage = Passage(
        "pear", "香梨是新疆香梨。香梨礼盒里的香梨很甜。保存在4度的冷藏室。", document_title="香梨"
    )
    assert best("香梨怎么保存？", passage).text == "保存在4度的冷藏室。"


def test_of_a_question_and_its_answer_the_answer_is_quoted_without_label() -> None:
    passage = Passage("faq", "问：几点前下单当天能发货？\n答：16:00前付款的订单当天发出。\n")
    assert best("几点前下单当天发货", passage).text == "16:00前付款的订单当天发出。"


def test_a_heading_gives_way_to_the_sentence_below_it() -> None:
    passage = Passage("faq", "### 运费多少？几天到？\n北京首5公斤12元，3天送达。\n")
    assert best("运费多少？", passage).text == "北京首5公斤12元，3天送达。"


def test_a_parsed_heading_is_never_quoted() -> None:
    headings = ("九、批发", "批发起订量是多少？")
    text = "九、批发\n批发起订量是多少？\n单一编号满20箱，就按批发价结算。"
    passage = Passage("faq", text, headings=headings, heading_path=" ".join(headings))
    quotes = pick_sentences("批发最少要订多少", [passage], limit=3)
    assert [quote.text for quote in quotes] == ["单一编号满20箱，就按批发价结算。"]
    assert pick_sentences("批发", [Passage("bare", "九、批发", headings=("九、批发",))]) == []


def test_the_answer_under_the_same_question_is_sure_whatever_its_words() -> None:
    answer = "单一编号满20箱，或者总重满200公斤，就按批发价结算。"
    asked = Passage(
        "faq", answer, headings=("批发起订量是多少？",), heading_path="批发起订量是多少？"
    )
    bare = Passage("faq", answer)
    question = "批发最少要订多少"
    assert best(question, asked).confidence > 0.5
    assert best(question, asked).confidence > best(question, bare).confidence + 0.1


def test_other_words_for_the_same_thing_are_understood() -> None:
    assert "8元" in best("邮费多少钱？").text
    assert best("邮费多少钱？").confidence > 0.6
    assert "按坏果比例退款" in best("烂果怎么退钱？").text


def test_who_asks_how_long_hears_a_time() -> None:
    passage = Passage(
        "confidence",
        "In the last case the Party shall tell the other. "
        "The duty to keep prices secret ends 3 years after the term.",
        headings=("13. Confidentiality",),
        heading_path="13. Confidentiality",
    )
    assert "3 years" in best("How long does confidentiality last?", passage).text


def test_a_very_short_sentence_takes_the_one_before_along() -> None:
    passage = Passage("acrylic", "丙烯颜料干后不再溶于水。溶于汽油。")
    assert best("溶于汽油吗？", passage).text == "丙烯颜料干后不再溶于水。溶于汽油。"


def test_a_table_row_is_quoted_whole() -> None:
    passage = Passage("table", "| 地区 | 运费 |\n| --- | --- |\n| 北京 | 12元 |\n| 上海 | 8元 |\n")
    quote = best("北京运费多少？", passage)
    assert "北京" in quote.text
    assert "12元" in quote.text


def test_the_names_of_columns_are_no_answer() -> None:
    table = "产品 | 价格\n产品: 蜜柚 | 价格: 12元\n产品: 脐橙 | 价格: 9元\n"
    quotes = pick_sentences("产品的价格", [Passage("table", table)], limit=3)
    assert quotes
    assert all(": " in quote.text for quote in quotes)


def test_a_figure_in_the_question_chooses_the_row() -> None:
    table = "室温: 25℃ | 红心: 3天\n室温: 15℃ | 红心: 7天\n室温: 5℃ | 红心: 不变软\n"
    assert "7天" in best("室温15度红心几天变软", Passage("table", table)).text


def test_the_same_words_in_two_passages_are_quoted_once() -> None:
    twin = Passage("twin", SHIPPING.text, document_title="配送说明", score=9.0)
    quotes = pick_sentences("运费多少钱？", [SHIPPING, twin], limit=3)
    assert len({quote.text for quote in quotes}) == len(quotes)


def test_a_question_about_other_matters_gets_little_confidence() -> None:
    assert best("运费多少钱？").confidence > 0.6
    assert best("坏果怎么退款？").confidence > 0.6
    for stranger in ("劳动合同到期不续签有补偿吗？", "who won the world cup", "今天股票涨了吗"):
        assert all(q.confidence < 0.3 for q in pick_sentences(stranger, [SHIPPING, CLAIMS]))


def test_a_second_passage_with_the_same_answer_takes_no_confidence_away() -> None:
    twin = Passage("twin", SHIPPING.text, document_title="配送说明", score=9.0)
    alone, doubled = best("运费多少钱？", SHIPPING), best("运费多少钱？", SHIPPING, twin)
    assert doubled.confidence > alone.confidence - 0.15


def test_the_limit_holds_and_nothing_to_quote_gives_nothing() -> None:
    assert len(pick_sentences("发货 运费 退款", [SHIPPING, CLAIMS], limit=1)) == 1
    assert pick_sentences("运费", [SHIPPING], limit=0) == []
    assert pick_sentences("运费", []) == []
    assert pick_sentences("运费", [Passage("empty", " \n ")]) == []


def test_the_same_input_gives_the_same_quotes() -> None:
    asked = ("多久发货，坏果怎么退款？", [SHIPPING, CLAIMS])
    assert pick_sentences(*asked) == pick_sentences(*asked)


def test_scores_are_shares_and_fall() -> None:
    quotes = pick_sentences("发货和运费", [SHIPPING, CLAIMS], limit=5)
    scores = [quote.score for quote in quotes]
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1
