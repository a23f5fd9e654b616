"""The checks on written contracts: what is planted is found, what is in order is left alone."""

from pathlib import Path

import pytest

from apps.contracts.checks import checks_run, is_verbatim
from apps.contracts.reading import ContractText, contract_read
from tests.apps.contracts.written.contracts import BODIES, DEFECTS, contract_text, parsed, planted


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
