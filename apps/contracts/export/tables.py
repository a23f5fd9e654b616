"""Findings as CSV and JSON, and the days of contracts as a calendar file."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from apps.contracts.laws.library import Article, articles_of
from apps.contracts.models import Obligation
from apps.contracts.reviewing.outcome import Judged
from furrow.metering.selectors import defused

_LINE = 74


def finding_json(one: Judged, articles: dict[tuple[str, str], Article]) -> dict[str, Any]:
    finding, decision = one.finding, one.decision
    return {
        "id": str(finding.id),
        "rule": finding.rule,
        "source": finding.source,
        "level": finding.level,
        "is_passed": finding.is_passed,
        "title": one.title,
        "message": one.message,
        "advice": one.advice,
        "quote": finding.quote,
        "start": finding.start,
        "end": finding.end,
        "page": finding.page,
        "paragraph": finding.paragraph,
        "clause": finding.clause,
        "suggestion": one.suggestion,
        "confidence": finding.confidence,
        "statutes": [
            {"law": a.law, "article": a.article, "version": a.version, "text": a.text}
            for a in (articles[s["law"], s["article"]] for s in finding.statutes)
        ],
        "state": one.state,
        "comment": decision.comment if decision else "",
        "feedback": decision.feedback if decision else "",
        "assignee": decision.assignee.email if decision and decision.assignee else "",
        "decided_at": decision.decided_at if decision else None,
    }


def findings_json(found: Iterable[Judged]) -> list[dict[str, Any]]:
    rows = list(found)
    articles = articles_of(s for one in rows for s in one.finding.statutes)
    return [finding_json(one, articles) for one in rows]


def findings_csv(found: Iterable[Judged]) -> bytes:
    """With a byte order mark, so that a spreadsheet opens its Chinese."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [_("Level"), _("Finding"), _("What is wrong"), _("Advice"), _("Quote"), _("Page"), _("Clause"),
         _("Suggested wording"), _("Basis"), _("State"), _("Comment")]
    )  # fmt: skip
    for one in found:
        row, decision = one.finding, one.decision
        basis = "; ".join(f"{s['law']} {s['article']}" for s in row.statutes)
        comment = decision.comment if decision else ""
        state = decision.get_state_display() if decision else _("Open")
        cells = [row.get_level_display(), one.title, one.message, one.advice, row.quote, row.page or "", row.clause,
                 one.suggestion or "", basis, state, comment]  # fmt: skip
        writer.writerow([defused(str(cell)) for cell in cells])
    return ("\ufeff" + out.getvalue()).encode()


def obligations_ics(rows: Iterable[Obligation], *, host: str = "furrow") -> bytes:
    """A calendar that phones and computers read: whole days, each with a reminder."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Furrow//Contracts//EN",
        "CALSCALE:GREGORIAN",
    ]
    for row in rows:
        title = f"{row.get_what_display()}: {row.version.contract.title}"
        detail = "\n".join(part for part in (row.quote, row.reckoned) if part)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{row.id}@{host}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{row.due_on:%Y%m%d}",
            f"DTEND;VALUE=DATE:{row.due_on + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_ics(title)}",
            f"DESCRIPTION:{_ics(detail)}",
            "TRANSP:TRANSPARENT",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{_ics(title)}",
            f"TRIGGER:-P{row.remind_days}D",
            "END:VALARM",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _ics(text: str) -> str:
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r", ""), ("\n", "\\n")):
        text = text.replace(plain, written)
    return text


def _folded(line: str) -> str:
    """No line has more than 75 bytes; a character is never cut."""
    parts: list[str] = []
    now, size = "", 0
    for char in line:
        width = len(char.encode())
        if size + width > _LINE:
            parts.append(now)
            now, size = "", 1
        now, size = now + char, size + width
    return "\r\n ".join([*parts, now])
