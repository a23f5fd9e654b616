"""The checks on written contracts: what is planted is found, what is in order is left alone."""

from pathlib import Path

import pytest

from apps.contracts.checks import checks_run, is_verbatim
from apps.contracts.reading import ContractText, contract_read
from tests.apps.contracts.written.contracts import BODIES, DEFECTS, contract_text, parsed, planted
from tests.apps.contracts.written.second import second_set


def found_in(text: str, folder: Path) -> set[str]:
    return {f.rule for f in checks_run(contract_read(parsed(text, folder))).findings}


@pytest.mark.parametrize("kind", BODIES)
def test_contract_in_order_has_no_findings(kind: str, tmp_path: Path) -> None:
    report = checks_run(contract_read(parsed(contract_text(kind, 3), tmp_path)))

    assert [(f.rule, f.quote) for f in report.findings] == []
    assert len(report.passed) > 25
    assert report.dropped == 0


@pytest.mark.parametrize("kind", BODIES)
def test_quotes_stand_where_the_finding_says(kind: str, tmp_path: Path) -> None:
    text, slips = planted(kind, contract_text(kind, 5), 5)
    source = parsed(text, tmp_path)
    findings = checks_run(contract_read(source)).findings

    assert slips
    assert findings
    assert all(is_verbatim(f, source) for f in findings)
    assert not any("%(" in f.explanation or "%(" in f.advice for f in findings)


def test_each_slip_is_found_in_some_contract(tmp_path: Path) -> None:
    missed = []
    for name, rules, change in DEFECTS:
        changed = [(k, change(contract_text(k, 3))) for k in BODIES]
        differing = [text for kind, text in changed if text != contract_text(kind, 3)]
        assert differing, name
        if not any(set(rules.split()) & found_in(text, tmp_path) for text in differing):
            missed.append(name)

    assert missed == []


def test_sum_in_words_that_differs_is_quoted_with_both(tmp_path: Path) -> None:
    source = parsed(
        "买卖合同\n第一条 价款\n总价为人民币12,300元（大写：壹万贰仟肆佰元整）。", tmp_path
    )
    finding = next(
        f for f in checks_run(contract_read(source)).findings if f.rule == "amount_words"
    )

    assert finding.quote == "人民币12,300元（大写：壹万贰仟肆佰元整"
    assert (finding.values["words"], finding.values["digits"]) == ("12,400", "12,300")


def test_empty_text_is_neither_found_nor_passed() -> None:
    report = checks_run(contract_read(ContractText.from_paragraphs([])))

    assert (report.findings, report.passed) == ((), ())


def test_bullet_is_no_placeholder(tmp_path: Path) -> None:
    text = "买卖合同\n第一条 范围\n● 苹果\n● 红枣\n第二条 价款\n价款为【●】元。"
    findings = checks_run(contract_read(parsed(text, tmp_path))).findings

    assert [f.quote for f in findings if f.rule == "placeholder"] == ["【●】"]


def test_english_number_written_twice(tmp_path: Path) -> None:
    text = "Agreement\nwithin thirty (45) days, twenty-one (21) days, one hundred twenty (120) days, one hundred and eighty (180) days"  # fmt: skip
    findings = checks_run(contract_read(parsed(text, tmp_path))).findings

    assert [f.quote for f in findings if f.rule == "number_words"] == ["within thirty (45)"]


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    [
        ("one_sided_change", "甲方有权根据油价单方调整运价。", "甲方不得单方调整运价。"),
        ("one_sided_change", "甲方有权随时收回房屋，无需说明理由。", "任何一方可以随时解除，但应提前30日通知对方。"),
        ("one_sided_change", "乙方有权单方变更付款日。", "乙方自签约之日起15日内可以单方解除合同。"),
        ("right_waived", "乙方自愿放弃对货物质量提出任何异议的权利。", "乙方放弃优先购买的权利。"),
        ("void_exclusion", "造成人身财产损失的甲方不承担责任。", "因不可抗力迟延的甲方不承担责任。"),
        ("court_and_arbitration", "由西安仲裁委员会仲裁，对裁决不服的可向人民法院起诉。", "由西安仲裁委员会仲裁，裁决是终局的。"),
        ("term_dates", "工期：120日，自2026年5月1日起至2026年7月29日止。", "工期：90日，自2026年5月1日起至2026年7月29日止。"),
        ("text_product", "每亩每年租金650元，182亩合计每年113,800元。", "每亩每年租金650元，182亩合计每年118,300元。"),
        ("deposit_limit", "车价为人民币58,000元，定金20,000元。", "车价为人民币58,000元，定金5,000元。"),
        ("copies", "本合同一式四份，双方各执两份，镇政府和合作社各备案一份。", "本合同一式四份，双方各执一份，镇政府和合作社各备案一份。"),
        ("copies", "本合同一式两份，甲、乙双方及街道办事处各执一份。", "本合同一式三份，甲、乙双方及街道办事处各执一份。"),
        ("term_differs", "质保期为两年。免费质保期为五年。", "质保期为两年，防水工程质保期为五年。"),
        ("undefined_term", "应提交“授信资料包”后放款。", "“公共区域”包括道路。销售“沃土”牌肥料。"),
        ("blank", "应在　　日内付清。", "五、返利\n\n年进货满200吨的返利。"),
        ("sum_differs", "保证金20,000元。保证金合计30,000元。", "保证金20,000元。加盟费与保证金合计80,000元。"),
    ],
)  # fmt: skip
def test_slip_is_told_from_what_looks_like_it(
    rule: str, wrong: str, right: str, tmp_path: Path
) -> None:
    head = "买卖合同\n甲方：甲有限公司\n乙方：乙有限公司\n第一条 约定\n"
    assert rule in found_in(head + wrong, tmp_path)
    assert rule not in found_in(head + right, tmp_path)


@pytest.mark.parametrize(
    "sentence",
    ["甲方不为乙方缴纳社会保险，每月发放补贴。", "每日工作8小时，旺季每日工作12小时。"],
)
def test_labour_law_is_read_in_other_words(sentence: str, tmp_path: Path) -> None:
    found = found_in(f"劳动合同\n第一条 约定\n{sentence}", tmp_path)
    assert found & {"insurance_waived", "working_hours"}


def test_price_for_some_years_and_sums_of_each_month_are_no_slips(tmp_path: Path) -> None:
    years = "软件合同\n项目\t数量\t单价\t年限\t金额\n平台\t1\t36,000\t2\t72,000\n用户\t50\t480\t2\t48,000\n合计\t\t\t\t120,000\n"
    months = "租赁合同\n设备\t台数\t月租金（元）\t小计（元/月）\n挖机\t2\t28,000\t56,000\n装载机\t1\t16,000\t16,000\n合计\t3\t\t72,000\n租金总额为人民币432,000元。"
    assert not found_in(years, tmp_path) & {"line_product", "table_total"}
    assert not found_in(months, tmp_path) & {"price_differs", "line_product"}


def test_second_set_is_found_as_measured(tmp_path: Path) -> None:
    """Each planted kind of slip is found in some contract of the second set."""
    kinds, found_kinds = set(), set()
    for one in second_set():
        report = checks_run(contract_read(parsed(one.slipped, tmp_path)))
        found = [(f.rule, f.quote) for f in report.findings]
        assert len(one.slips) == 5
        kinds |= {slip.kind for slip in one.slips}
        found_kinds |= {s.kind for s in one.slips if any(s.is_found_by(*hit) for hit in found)}
    assert kinds == found_kinds
