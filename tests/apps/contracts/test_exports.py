"""What leaves the house: tracked changes that give the new text, files for spreadsheets, readers and calendars."""

import csv
import io
import json
import shutil
import subprocess
import zipfile

import docx
import pytest
from django.utils import timezone

from apps.contracts import selectors
from apps.contracts.export.files import download
from apps.contracts.export.redline import redline_export
from apps.contracts.export.tables import obligations_ics
from apps.contracts.models import Contract
from apps.contracts.redline import paragraphs_read
from apps.contracts.reviewing.outcome import judged
from apps.contracts.services.reviews import finding_decide
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict
from furrow.knowledge.parsing.formats import pdf_file
from furrow.knowledge.parsing.limits import ParseJob
from furrow.tenants.services import SYSTEM
from tests.apps.contracts.conftest import SALE, handed_in, reviewed

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def decide(run, **states):
    found = {one.finding.rule: one.finding for one in judged(run)}
    for rule, values in states.items():
        finding_decide(actor=SYSTEM, finding=found[rule.replace("__", ":")], **values)


def exported(run, **options):
    return redline_export(run.version, judged(run), author="顾明溪", at=timezone.now(), **options)


def test_accepting_all_changes_gives_the_new_text_and_rejecting_the_old(run, cast):
    with tenant_tx(cast.tenant.id):
        decide(
            run,
            rule__prepay_second={"state": "accepted"},
            rule__force_majeure={"state": "accepted"},
            court_and_arbitration={"text": "因本合同发生的争议，提交洛川县人民法院诉讼解决。"},
            rule__penalty={"state": "rejected"},
        )
        export = exported(run)
        insertion = next(o for o in judged(run) if o.finding.rule == "rule:force_majeure")
    old = SALE.split("\n")
    new = [line.replace("预付合同总价的50%", "预付合同总价的30%") for line in old]
    at = next(n for n, line in enumerate(new) if line.startswith("因本合同发生的争议"))
    new[at] = "因本合同发生的争议，提交洛川县人民法院诉讼解决。"
    after = next(n for n, line in enumerate(old) if line.startswith("任何一方违约"))
    new.insert(after + 1, insertion.suggestion)
    assert export.left_out == ()
    assert [line for line in paragraphs_read(export.document) if line.strip()] == [
        line for line in new if line.strip()
    ]
    assert rejected(export.document) == [line for line in old if line.strip()]


def rejected(document):
    """With every insertion taken out and every deletion put back, by python-docx's XML alone."""
    body = docx.Document(io.BytesIO(document)).element.body
    lines = []
    for paragraph in body.iter(f"{WORD}p"):
        if paragraph.find(f"{WORD}pPr/{WORD}rPr/{WORD}ins") is not None:
            continue
        words = [
            node.text or ""
            for node in paragraph.iter(f"{WORD}t", f"{WORD}delText")
            if not any(up.tag == f"{WORD}ins" for up in node.iterancestors())
        ]
        lines.append("".join(words))
    return [line for line in lines if line.strip()]


def test_open_findings_come_as_comments_when_asked_for(run, cast):
    with tenant_tx(cast.tenant.id):
        decide(run, rule__penalty={"state": "rejected"}, deposit_limit={"comment": "客户知道"})
        few, many = exported(run), exported(run, with_open=True)
        open_count = sum(one.is_open for one in judged(run))
    assert len(docx.Document(io.BytesIO(few.document)).part._comments_part.comments) == 1
    made = docx.Document(io.BytesIO(many.document)).part._comments_part.comments
    assert len(made) + len(many.left_out) == open_count
    assert {comment.author for comment in made} == {"顾明溪"}
    assert paragraphs_read(many.document) == SALE.split("\n")


def test_two_changes_of_one_place_lose_nothing(run, cast):
    """Both findings quote one sentence: the second becomes a comment with its wording."""
    with tenant_tx(cast.tenant.id):
        decide(
            run,
            rule__penalty={"state": "accepted"},
            penalty_limit={"text": "任何一方违约，应赔偿对方损失。"},
        )
        export = exported(run)
    comments = [
        c.text for c in docx.Document(io.BytesIO(export.document)).part._comments_part.comments
    ]
    assert export.done == 2
    assert export.left_out == ()
    assert sum("任何一方违约，应赔偿对方损失。" in text or "30%" in text for text in comments) >= 1


def test_table_cells_and_numbered_paragraphs_are_found_in_the_file(cast):
    made = docx.Document()
    made.add_paragraph("买卖合同")
    made.add_paragraph("  乙方应预付合同总价的80%作为预付款。  ")
    table = made.add_table(rows=2, cols=2)
    for cell, text in zip(
        [c for row in table.rows for c in row.cells],
        ["项目", "说明", "苹果", "乙方放弃一切权利"],
        strict=True,
    ):
        cell.text = text
    out = io.BytesIO()
    made.save(out)
    contract = handed_in(cast.tenant, out.getvalue(), "t.docx", side="second")
    run = reviewed(cast.tenant, contract)
    with tenant_tx(cast.tenant.id):
        decide(run, rule__prepay_second={"state": "accepted"}, rule__waiver={"comment": "删"})
        export = exported(run)
    assert paragraphs_read(export.document)[1] == "  乙方应预付合同总价的30%作为预付款。  "
    assert export.left_out == ()


def test_text_file_is_given_back_as_a_word_file(cast):
    contract = handed_in(cast.tenant, SALE.encode(), "sale.txt", side="second")
    run = reviewed(cast.tenant, contract)
    with tenant_tx(cast.tenant.id):
        decide(run, rule__prepay_second={"state": "accepted"})
        lines = paragraphs_read(exported(run).document)
    assert "预付合同总价的30%作为预付款" in "".join(lines)


def test_signs_that_word_cannot_hold_are_spaces_in_its_file(run, cast):
    """As a scan or a text may hold them."""
    with tenant_tx(cast.tenant.id):
        version = run.version
        version.file_name = "contract.txt"
        version.text = version.text.replace("苹果一批", "苹\ufffe\x0b批")
        lines = paragraphs_read(redline_export(version, [], author="x", at=timezone.now()).document)
    assert any("苹  批" in line for line in lines)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_exported_file_opens_in_libreoffice(run, cast, tmp_path):
    """Which shows the words with all changes accepted when it writes plain text."""
    with tenant_tx(cast.tenant.id):
        decide(run, rule__prepay_second={"state": "accepted"}, deposit_limit={"comment": "过高"})
        (tmp_path / "out.docx").write_bytes(exported(run, with_open=True).document)
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "odt",
         "--outdir", str(tmp_path), str(tmp_path / "out.docx")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    content = zipfile.ZipFile(tmp_path / "out.odt").read("content.xml").decode()
    assert "text:tracked-changes" in content
    assert "<text:insertion" in content
    assert "<text:deletion" in content
    assert "过高" in content


def test_spreadsheet_gets_no_formulas(run, cast):
    with tenant_tx(cast.tenant.id):
        decide(
            run, deposit_limit={"comment": "=HYPERLINK(1)"}, court_and_arbitration={"text": " =1+1"}
        )
        answer = download(Contract.objects.get(), "findings.csv", author="x")
        expected = len(judged(run))
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == expected + 1
    assert any("'=HYPERLINK(1)" in row for row in rows)
    assert any("' =1+1" in row for row in rows)


@pytest.mark.parametrize("title", ["Apples\nSet-Cookie: a=b", 'Say "no"\\', "苹果\r\nX: y"])
def test_title_stays_within_its_header(run, cast, title):
    with tenant_tx(cast.tenant.id):
        Contract.objects.update(title=title)
        answer = download(Contract.objects.get(), "findings.csv", author="x")
    assert answer["Content-Disposition"].startswith("attachment; filename")
    assert not {"\r", "\n"} & set(answer["Content-Disposition"])


def test_json_has_findings_with_their_statutes_and_what_passed(run, cast):
    with tenant_tx(cast.tenant.id):
        body = json.loads(download(Contract.objects.get(), "findings.json", author="x").content)
    deposit = next(row for row in body["findings"] if row["rule"] == "deposit_limit")
    assert deposit["statutes"][0]["version"] == "2020-05-28"
    assert "百分之二十" in deposit["statutes"][0]["text"]
    assert len(body["passed"]) > 10


@pytest.mark.slow
def test_report_names_each_finding_with_its_quote(run, cast, tmp_path):
    with tenant_tx(cast.tenant.id):
        answer = download(Contract.objects.get(), "report.pdf", author="x")
        quotes = [one.finding.quote for one in judged(run) if one.finding.quote]
    (tmp_path / "report.pdf").write_bytes(answer.content)
    text = pdf_file.read(tmp_path / "report.pdf", ParseJob(file_name="report.pdf")).text
    bare = "".join(text.split())
    assert all("".join(quote.split()) in bare for quote in quotes)


def test_calendar_has_a_day_and_a_reminder_for_each_date(run, cast):
    with tenant_tx(cast.tenant.id):
        rows = list(selectors.obligations_of(run.version).select_related("version__contract"))
        text = obligations_ics(rows).decode()
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    unfolded = text.replace("\r\n ", "")
    assert unfolded.count("BEGIN:VEVENT") == len(rows) == 4
    assert "DTSTART;VALUE=DATE:20271201" in unfolded
    assert unfolded.count("TRIGGER:-P7D") == 4
    assert "期满前30日双方可书面协商续签。" in unfolded


def test_contract_without_review_gives_a_clear_refusal(contract, cast):
    with tenant_tx(cast.tenant.id), pytest.raises(Conflict) as refused:
        download(Contract.objects.get(), "redline.docx", author="x")
    assert refused.value.code == "not_reviewed"
