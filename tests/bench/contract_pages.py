"""Reads, classifies and checks a contract of a hundred pages: `python tests/bench/contract_pages.py [zh|en]`.

Through the review's own steps on a file made here, without the database; prints the seconds of each and the
process's peak memory, the reading child's apart.
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.test_settings")

import django  # noqa: E402

django.setup()

from reportlab.lib.styles import ParagraphStyle  # noqa: E402
from reportlab.pdfbase import pdfmetrics  # noqa: E402
from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # noqa: E402
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate  # noqa: E402

from apps.contracts.checks import checks_run  # noqa: E402
from apps.contracts.playbook.rules import rule_apply  # noqa: E402
from apps.contracts.playbook.starter import starters  # noqa: E402
from apps.contracts.reading import ContractText, contract_read  # noqa: E402
from apps.contracts.reviewing.clauses import clauses_find  # noqa: E402
from apps.contracts.reviewing.days import days_of  # noqa: E402
from furrow.knowledge.parsing.runner import parse_file  # noqa: E402
from tests.apps.contracts.written.contracts import contract_text, planted  # noqa: E402

PAGES = 100
ENGLISH = (
    "{n}. Term and Termination. Either Party may terminate this Agreement upon ninety (90) days' prior written notice. "
    "This Agreement shall be governed by the laws of the State of New York. The Distributor shall not assign this "
    "Agreement without the prior written consent of the Company. In no event shall the aggregate liability of either "
    "Party exceed the fees paid in the twelve (12) months before the claim. The Company grants to the Distributor an "
    "exclusive license to sell the Products in the Territory. "
)


def pages(language: str) -> list[list[str]]:
    if language == "zh":
        kinds = ("sale", "lease", "service", "loan")
        return [
            planted(kinds[n % 4], contract_text(kinds[n % 4], n), n)[0].split("\n")[:40]
            for n in range(PAGES)
        ]
    return [
        [ENGLISH.format(n=f"{page}.{part}") for part in range(1, 7)] for page in range(1, PAGES + 1)
    ]


def file_made(language: str, folder: Path) -> Path:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    style = ParagraphStyle("x", fontName="STSong-Light", fontSize=9, leading=13, wordWrap="CJK")
    story: list[object] = []
    for lines in pages(language):
        story += [Paragraph(line or "&nbsp;", style) for line in lines] + [PageBreak()]
    path = folder / "hundred.pdf"
    SimpleDocTemplate(str(path), topMargin=30, bottomMargin=30).build(story)
    return path


def main() -> None:
    language = sys.argv[1] if len(sys.argv) > 1 else "zh"
    with tempfile.TemporaryDirectory() as name:
        path = file_made(language, Path(name))
        clock = time.monotonic()
        parsed = parse_file(path, file_name=path.name)
        steps = {"reading": time.monotonic() - clock}
        clock = time.monotonic()
        contract = contract_read(ContractText.from_parsed(parsed))
        days = days_of(contract)
        steps["structure and days"] = time.monotonic() - clock
        clock = time.monotonic()
        clauses = clauses_find(contract, parsed.language, lambda done, total: None)
        steps["clauses"] = time.monotonic() - clock
        clock = time.monotonic()
        report = checks_run(contract)
        steps["checks"] = time.monotonic() - clock
        clock = time.monotonic()
        types = frozenset(clause.kind for clause in clauses)
        hits = [
            hit
            for spec in starters()["sale"].rules
            for hit in rule_apply(spec, contract, language=parsed.language, types=types).hits
        ]
        steps["playbook"] = time.monotonic() - clock
    own, child = (resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))  # fmt: skip
    sys.stdout.write(
        f"{language}: {parsed.page_count} pages, {len(parsed.text):,} characters, {len(report.findings)} findings, "
        f"{len(hits)} of the playbook, {len(clauses)} clauses, {len(days)} days\n"
        + "".join(f"{step}: {seconds:.1f} s\n" for step, seconds in steps.items())
        + f"together: {sum(steps.values()):.1f} s, peak {own} MB, reader {child} MB\n"
    )


if __name__ == "__main__":
    main()
