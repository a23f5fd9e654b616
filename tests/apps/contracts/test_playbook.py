"""Rules in plain words: what each kind finds, and that the starter library works on both sides."""

from datetime import date

import pytest

from apps.contracts.checks import checks_run
from apps.contracts.checks.rates import prime_rate
from apps.contracts.models.contracts import Kind
from apps.contracts.playbook.figures import figures
from apps.contracts.playbook.rules import RuleSpec, rule_apply, words_valid
from apps.contracts.playbook.starter import starters
from apps.contracts.reading import ContractText, contract_read
from tests.apps.contracts.written.contracts import contract_text


def contract(*lines):
    return contract_read(ContractText.from_paragraphs(list(lines)))


def rule(check_kind, *, fallback="", **terms):
    return RuleSpec("k", check_kind, "high", {"zh": "x"}, terms=terms, fallback={"zh": fallback})


def hits(spec, read, language="zh", types=frozenset()):
    return rule_apply(spec, read, language=language, types=types).hits


def test_must_have_names_the_place_for_what_is_missing():
    read = contract(
        "合同", "第一条 违约责任", "违约的赔偿。", "第二条 其他", "无。", "甲方（盖章）："
    )
    spec = rule("must_have", words=["不可抗力"], place=["违约"], fallback="不可抗力免责。")
    (hit,) = hits(spec, read)
    assert (hit.start, hit.end, hit.anchor, hit.replacement) == (0, 0, 2, "不可抗力免责。")
    assert hits(rule("must_have", words=["赔偿"]), read) == ()
    assert hits(spec, read, types=frozenset({"Other"}))
    assert hits(rule("must_have", words=["x"], types=["Cap On Liability"]), read, types=frozenset({"Cap On Liability"})) == ()  # fmt: skip


def test_missing_text_goes_before_the_signatures_when_no_clause_fits():
    read = contract("合同", "第一条 标的", "苹果。", "甲方（盖章）：", "乙方（盖章）：")
    (hit,) = hits(rule("must_have", words=["不可抗力"]), read)
    assert hit.anchor == 2


def test_must_not_leaves_sentences_with_an_exception_alone():
    read = contract("甲方不得退货。", "除质量问题外，甲方不得退货。")
    found = hits(rule("must_not", words=["不得退货"], unless=["除质量问题"]), read)
    assert [(h.start, h.end) for h in found] == [(0, 7)]


@pytest.mark.parametrize(
    ("line", "unit", "limit", "wanted"),
    [
        ("乙方应在收货后45日内付款。", "days", {"max": "30"}, "乙方应在收货后30日内付款。"),
        ("乙方应在收货后六十个工作日内付款。", "days", {"max": "30"}, "乙方应在收货后30个工作日内付款。"),
        ("付款期为3个月。", "months", {"max": "2"}, "付款期为2个月。"),
        ("付款期为2年。", "months", {"max": "12"}, "付款期为1年。"),
        ("付款比例为50%。", "percent", {"max": "30"}, "付款比例为30%。"),
        ("付款千分之五。", "percent", {"max": "0.1"}, "付款0.1%。"),
        ("付款50,000元。", "money", {"max": "10000"}, "付款10000元。"),
        ("付款人民币5万元。", "money", {"max": "10000"}, "付款人民币10000元。"),
        ("Payment within sixty (60) days of receipt.", "days", {"max": "30"}, "Payment within 30 days of receipt."),
    ],
)  # fmt: skip
def test_figure_beyond_the_limit_is_brought_to_it(line, unit, limit, wanted):
    spec = rule("threshold", words=["付款", "payment"], unit=unit, **limit)
    (hit,) = hits(spec, contract(line))
    assert hit.replacement == wanted


def test_figure_within_the_limit_passes_and_none_is_no_subject():
    spec = rule("threshold", words=["付款"], unit="days", max="30")
    assert rule_apply(spec, contract("收货后7日内付款。"), language="zh").has_subject
    assert not rule_apply(spec, contract("收货后7日内验收。"), language="zh").has_subject
    both = rule("numeric", words=["付款"], unit="days", min="10", max="30")
    assert hits(both, contract("收货后7日内付款。"))[0].replacement == "收货后10日内付款。"


def test_own_wording_is_compared_without_its_number_and_spaces():
    wanted = "因本合同发生的争议，提交甲方所在地人民法院解决。"
    spec = rule("template", words=["争议"], fallback=wanted)
    assert (
        hits(spec, contract("合同", "第六条 因本合同发生的争议， 提交甲方所在地人民法院解决。"))
        == ()
    )
    (hit,) = hits(spec, contract("合同", "第六条 因本合同发生的争议，提交乙方所在地人民法院解决。"))
    assert hit.replacement == wanted
    assert hit.start == 3 + len("第六条 ")
    (missing,) = hits(spec, contract("合同", "第六条 无。"))
    assert (missing.start, missing.end) == (0, 0)


def test_own_wording_in_another_language_is_not_compared():
    spec = rule("template", words=["dispute"], fallback="因本合同发生的争议，提交法院解决。")
    outcome = rule_apply(spec, contract("x", "Any dispute goes to court."), language="en")
    assert (outcome.hits, outcome.has_subject) == ((), False)


def test_rule_is_called_as_it_was_written_where_no_translation_is():
    spec = RuleSpec("k", "must_not", "high", {"en": "No waiver", "zh": ""}, note={"en": "Why"})
    assert (
        spec.name_in("zh"),
        spec.note_in("zh"),
        RuleSpec("k", "x", "low", {}).name_in("zh"),
    ) == (
        "No waiver",
        "Why",
        "",
    )


def test_english_sentences_are_told_apart_by_full_stops():
    read = contract("The Seller waives all claims. The Buyer pays within 90 days.")
    (hit,) = hits(rule("must_not", words=["waives all claims"]), read, language="en")
    assert read.text[hit.start : hit.end] == "The Seller waives all claims."


def test_figures_are_read_in_both_languages():
    read = contract("within ninety (90) days and 3 business days, 三个工作日, twelve (12) months")
    days = [f.value for f in figures(read, "days", 0, len(read.text))]
    assert days == [90, 3, 3, 360]


def test_library_has_rules_for_both_sides_of_every_kind():
    library = starters()
    assert set(library) == set(Kind.values)
    for starter in library.values():
        keys = [spec.key for spec in starter.rules]
        assert len(keys) == len(set(keys)) >= 12
        for side in ("first", "second"):
            assert sum(spec.side == side for spec in starter.rules) >= 1, (starter.key, side)
        for spec in starter.rules:
            assert set(spec.name) == {"zh", "en"} == set(spec.note), spec.key
            assert all(spec.name.values())
            assert spec.terms["words"], spec.key
            if spec.check_kind == "must_have":
                assert set(spec.fallback) == {"zh", "en"}, spec.key


@pytest.mark.parametrize("kind", Kind.values)
def test_own_fallback_satisfies_its_rule(kind):
    """What is put in must not be missed in the next review."""
    for spec in starters()[kind].rules:
        if spec.check_kind == "must_have":
            for language in ("zh", "en"):
                assert hits(spec, contract("x", spec.fallback[language]), language) == (), spec.key


@pytest.mark.parametrize("kind", ["sale", "lease", "labour", "service", "loan"])
def test_sound_contract_breaks_few_high_rules(kind):
    read = contract_read(ContractText.from_paragraphs(contract_text(kind, 3).split("\n")))
    for side in ("first", "second"):
        broken = [
            spec.key
            for spec in starters()[kind].rules
            if spec.side in {"neutral", side} and spec.level == "high" and hits(spec, read)
        ]
        assert len(broken) <= 3, broken


def test_prime_rate_is_the_one_of_its_day():
    assert str(prime_rate(date(2021, 6, 1)).percent) == "3.85"
    assert str(prime_rate(date(2024, 9, 1)).percent) == "3.35"
    assert str(prime_rate(date(2027, 1, 1)).percent) == "3.00"
    assert prime_rate(date(2010, 1, 1)).since.isoformat() == "2019-08-20"


def test_loan_is_measured_by_the_rate_of_the_day_it_was_made():
    old = "借款合同\n签订日期：2020年1月5日\n年利率为16%。"
    new = old.replace("2020年", "2025年").replace("1月", "8月")
    rules = [
        {f.rule: f.values for f in checks_run(contract_read(ContractText.from_paragraphs(text.split("\n")))).findings}
        for text in (old, new)
    ]  # fmt: skip
    assert "loan_interest" not in rules[0]
    assert rules[1]["loan_interest"]["limit"] == "12%"
    assert rules[1]["loan_interest"]["since"] == "2025-05-20"


def test_phrase_leaves_room_twice_at_most():
    assert hits(
        rule("must_not", words=["甲方…单方…解除"]), contract("甲方有权随时单方书面解除合同。")
    )
    assert not hits(rule("must_not", words=["..."]), contract("甲方。"))
    for phrase in ("…", " ... ", "a…b…c…d"):
        assert not words_valid(phrase)
    assert all(
        words_valid(phrase)
        for starter in starters().values()
        for spec in starter.rules
        for name in ("words", "unless", "place")
        for phrase in spec.terms.get(name, ())
    )
