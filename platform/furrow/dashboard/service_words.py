"""The monthly report in plain words: the same lines for the page and for the paper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from furrow.assistants.selectors import gap_clusters
from furrow.conversations.figures import answers_between
from furrow.conversations.service_cost import service_cost
from furrow.conversations.service_report import Served, drafts_for, served
from furrow.core.extensions import ReportTable, extensions
from furrow.dashboard import spans
from furrow.dashboard.money import money_text
from furrow.dashboard.templatetags.ui import percent
from furrow.dashboard.worth import Worth, compared
from furrow.metering.assumptions import assumptions_read

GAPS_SHOWN = 8


@dataclass(frozen=True)
class Line:
    """`hint` says in a sentence what the figure is."""

    label: str
    value: str
    hint: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class OpenGap:
    question: str
    asked: int
    draft: str
    id: Any


@dataclass(frozen=True)
class Report:
    since: date
    until: date
    served: Served
    sections: tuple[Section, ...]
    tables: tuple[ReportTable, ...]
    gaps: tuple[OpenGap, ...]
    worth: Worth | None
    currency: str

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The bar of all conversations: where each part begins and how long it is, in hundredths of a percent."""
        names = ("confirmed", "assumed", "reopened", "handed", "open")
        found, start = self.served, 0.0
        counts = (found.confirmed, found.assumed, found.reopened, found.handed_over, found.open)
        parts = []
        for name, count in zip(names, counts, strict=True):
            width = 100 * count / max(1, found.conversations)
            parts.append({"name": name, "start": f"{start:.2f}", "width": f"{width:.2f}"})
            start += width
        return parts


def month_of(text: str) -> tuple[date, date]:
    """`2026-11` as its first and last day, not after today; anything else is this month."""
    today = timezone.localdate()
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        first = today.replace(day=1)
    first = min(first, today.replace(day=1))
    return first, min(today, spans.month_after(first) - timedelta(days=1))


def report_make(*, since: date, until: date, with_money: bool) -> Report:
    found = served(since, until)
    money = _money(found, since, until) if with_money else None
    sections = [_solved(found), _people(found), _feeling(found), _effort(found)]
    if money:
        sections.append(money[0])
    makers = extensions.report_tables.values() if with_money else ()
    tables = [table for make in makers for table in make(since, until)]
    return Report(
        since,
        until,
        found,
        tuple(sections),
        tuple(tables),
        _gaps(),
        money[1] if money else None,
        money[2] if money else "",
    )


def _solved(found: Served) -> Section:
    return Section(
        _("What the assistant solved alone"),
        (
            Line(_("Conversations"), str(found.conversations)),
            Line(
                _("Confirmed"),
                _of(found.confirmed, found.conversations),
                _("The visitor said that it helped."),
            ),
            Line(
                _("Assumed"),
                _of(found.assumed, found.conversations),
                _("Answered, no complaint, and a day of silence since."),
            ),
            Line(
                _("Came back"),
                _of(found.reopened, found.conversations),
                _("Looked solved, but the visitor asked again later. Not counted as solved."),
            ),
            Line(_("Too fresh to say"), str(found.open)),
        ),
    )


def _people(found: Served) -> Section:
    return Section(
        _("How fast visitors were answered"),
        (
            Line(
                _("First answer"),
                seconds_text(found.first_reply_s),
                _("Half of the visitors waited less, by whomever they were answered."),
            ),
            Line(_("Answered within 3 minutes"), percent(found.prompt_share)),
            Line(_("Handed to a person"), _of(found.handed_over, found.conversations)),
            Line(
                _("Wait for a person"),
                seconds_text(found.wait_s),
                _("Counted within your opening hours."),
            ),
            Line(_("A person within 3 minutes"), percent(found.waits_prompt_share)),
            Line(_("Never answered by a person"), str(found.handoffs - found.handoffs_answered)),
        ),
    )


def _feeling(found: Served) -> Section:
    return Section(
        _("How visitors felt"),
        (
            Line(_("Happy"), _of(found.happy, found.judged)),
            Line(_("So-so"), _of(found.so_so, found.judged)),
            Line(_("Unhappy"), _of(found.unhappy, found.judged)),
        ),
    )


def _effort(found: Served) -> Section:
    """Beside each other, a solved conversation and what went into it."""
    each = found.resolved
    return Section(
        _("What went into a solved conversation"),
        (
            Line(_("Tokens"), _each(found.tokens, each)),
            Line(_("Seconds of the machine"), _each(found.machine_ms / 1000, each)),
            Line(
                _("Minutes of people"),
                _each(found.human_s / 60, each),
                ngettext(
                    "%(n)s reply was written by hand; a reply counts 5 minutes at most.",
                    "%(n)s replies were written by hand; a reply counts 5 minutes at most.",
                    found.replies,
                )
                % {"n": found.replies},
            ),
        ),
    )


def _money(found: Served, since: date, until: date) -> tuple[Section, Worth, str]:
    """Measured minutes of people instead of supposed ones; the wage stays the owner's assumption."""
    cost = service_cost(found, since, until)
    worth = compared(answers_between(since, until), cost.assistant, assumptions_read())

    def shown(amount: Decimal | None) -> str:
        return "–" if amount is None else money_text(amount, cost.currency)

    def parts(each: Callable[[Decimal], Decimal | None]) -> str:
        return _("Assistant %(assistant)s, people %(people)s.") % {
            "assistant": shown(each(cost.assistant)),
            "people": shown(each(cost.people)),
        }

    lines = (
        Line(_("Assistant, measured"), shown(cost.assistant)),
        Line(
            _("People, measured"),
            shown(cost.people),
            _("Their minutes at %(wage)s an hour.") % {"wage": shown(cost.wage_per_hour)},
        ),
        Line(
            _("If people answered everything"),
            shown(cost.people_only),
            _("Supposed: %(minutes)s minutes a conversation.") % {"minutes": cost.minutes_per_chat},
        ),
        Line(_("Saved"), "–" if cost.saved_share is None else percent(cost.saved_share)),
        Line(
            _("A solved conversation costs"),
            shown(cost.each_resolved(cost.together)),
            parts(cost.each_resolved) if cost.resolved else "",
        ),
        Line(
            _("A confirmed one costs"),
            shown(cost.each_confirmed(cost.together)),
            parts(cost.each_confirmed) if cost.confirmed else "",
        ),
    )
    return Section(_("What it cost"), lines), worth, cost.currency


def _gaps() -> tuple[OpenGap, ...]:
    rows = list(gap_clusters()[:GAPS_SHOWN])
    drafts = drafts_for([row.question for row in rows])
    return tuple(
        OpenGap(row.question, row.asked, drafts.get(row.question, ""), row.id) for row in rows
    )


def _of(count: int, total: int) -> str:
    return f"{count} ({percent(count / total)})" if total else str(count)


def _each(amount: float, count: int) -> str:
    if not count:
        return "–"
    value = amount / count
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def seconds_text(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 90:
        return _("%(n)s s") % {"n": f"{seconds:.1f}" if seconds < 10 else round(seconds)}
    if seconds < 5400:
        return _("%(n)s min") % {"n": round(seconds / 60)}
    return _("%(n)s h") % {"n": f"{seconds / 3600:.1f}"}


def months_before(month: date, count: int = 12) -> Sequence[date]:
    """The first days of the last months, the latest first."""
    found = [month]
    while len(found) < count:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found
