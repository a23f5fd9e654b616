"""What money bought: conversations, solved questions, and what answers without the model saved."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from furrow.conversations.models import Conversation, Feedback, Ticket, Turn
from furrow.metering.money import ZERO, exact
from furrow.metering.selectors import day_span
from furrow.metering.spending import Spending, typical_answer_cost

WRITTEN = "composed"
# Nothing the assistant said by itself answered the question.
PERSON = ("human", "person", "held", "")
# Rungs that answer without the model writing anything.
FREE = ("approved", "fact", "quoted")


@dataclass(frozen=True)
class Answers:
    """`solved` counts questions answered and not marked unhelpful; `resolved` counts conversations that ended
    so without a person, `confirmed` those of them in which a visitor said that it helped.
    """

    conversations: int
    questions: int
    solved: int
    resolved: int
    confirmed: int
    by_rung: dict[str, int]
    written_with_tests: int


def answers_between(since: date, until: date) -> Answers:
    """Test chats count nowhere but in `written_with_tests`, because they cost too. Two queries."""
    begin, end = day_span(since, until)
    by_rung, questions, solved, written = _turns(begin, end)
    talks = _conversations(begin, end)
    return Answers(
        conversations=talks["all"],
        questions=questions,
        solved=solved,
        resolved=talks["resolved"],
        confirmed=talks["confirmed"],
        by_rung=by_rung,
        written_with_tests=written,
    )


def _turns(begin: Any, end: Any) -> tuple[dict[str, int], int, int, int]:
    disliked = Exists(Feedback.objects.filter(turn=OuterRef("pk"), value=-1))
    rows = (
        Turn.objects.filter(created_at__gte=begin, created_at__lt=end)
        .annotate(is_disliked=disliked)
        .values("rung", "status", "conversation__is_test", "is_disliked")
        .annotate(n=Count("id"))
        .order_by()
    )
    by_rung: dict[str, int] = {}
    questions = solved = written = 0
    for row in rows:
        is_done = row["status"] == Turn.Status.DONE
        written += row["n"] if row["rung"] == WRITTEN and is_done else 0
        if row["conversation__is_test"] or row["rung"] == "greeting":
            continue
        questions += row["n"]
        if is_done:
            by_rung[row["rung"]] = by_rung.get(row["rung"], 0) + row["n"]
            solved += row["n"] if row["rung"] not in PERSON and not row["is_disliked"] else 0
    return by_rung, questions, solved, written


def _conversations(begin: Any, end: Any) -> dict[str, int]:
    turns = Turn.objects.filter(conversation=OuterRef("pk"))
    opinions = Feedback.objects.filter(turn__conversation=OuterRef("pk"))
    resolved = (
        Exists(turns.filter(status=Turn.Status.DONE).exclude(rung__in=[*PERSON, "greeting"]))
        & ~Exists(turns.filter(status=Turn.Status.DONE, rung__in=["human", "person", "held"]))
        & ~Exists(Ticket.objects.filter(conversation=OuterRef("pk")))
        & ~Exists(opinions.filter(value=-1))
    )
    rows = Conversation.objects.filter(
        is_test=False, created_at__gte=begin, created_at__lt=end
    ).annotate(is_resolved=resolved, is_praised=Exists(opinions.filter(value=1)))
    found: dict[str, int] = rows.aggregate(
        all=Count("id"),
        resolved=Count("id", filter=Q(is_resolved=True)),
        confirmed=Count("id", filter=Q(is_resolved=True, is_praised=True)),
    )
    return found


@dataclass(frozen=True)
class Savings:
    """`each` is what an answer by the model costs; `is_measured` says that this business's own answers told."""

    each: Decimal | None
    is_measured: bool
    approved: Decimal
    quoted: Decimal
    prefix: Decimal
    approved_count: int
    quoted_count: int

    @property
    def total(self) -> Decimal:
        return exact(self.approved + self.quoted + self.prefix)


def savings(spent: Spending, answers: Answers) -> Savings:
    """What the same answers would have cost had the model written them, and the same prompts without a cache."""
    is_measured = bool(answers.written_with_tests and spent.written > 0)
    each = (
        exact(spent.written / answers.written_with_tests)
        if is_measured
        else typical_answer_cost(spent.currency)
    )
    approved = sum(answers.by_rung.get(rung, 0) for rung in ("approved", "fact"))
    quoted = answers.by_rung.get("quoted", 0)
    return Savings(
        each=each,
        is_measured=is_measured,
        approved=exact((each or ZERO) * approved),
        quoted=exact((each or ZERO) * quoted),
        prefix=spent.saved,
        approved_count=approved,
        quoted_count=quoted,
    )
