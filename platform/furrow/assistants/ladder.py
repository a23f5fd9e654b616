"""The answer ladder: rungs are asked in order, and the first that answers speaks.

A rung is an object with a `name` and `try_answer(question, config, ctx) -> RungResult`, registered in an
`AppConfig.ready` through `extensions.register("rungs", rung.name, rung)`. The contract:

- It is called with the tenant set but outside any transaction, and opens short `tenant_tx` blocks itself.
- It returns `answered(text, ...)`, or `passed("why_not")`: a short snake_case reason for the trace.
- It may send pieces of its answer early with `ctx.delta(piece)`; the pieces joined are then the answer's text.
  A rung that sends none has its text sent for it, piece by piece where it gives `pieces`.
- It may say what it is doing with `ctx.stage("searching")` or `ctx.stage("writing")`.
- It may name approved questions that come near (`near`); the ladder offers the best of them, whoever answers.
- It writes nothing. `on_stored` is run once, inside the transaction that stores the answer.
- `UpstreamFailed` and `LimitReached` mean "not now": the ladder notes it and goes on to the next rung.

Asking for a person comes before everything else, so that no other rung can stand in the way of it; so does leaving a
phone number when the assistant has just asked for one.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol
from uuid import UUID

from furrow.assistants.config import AssistantConfig
from furrow.assistants.contact_left import contact_left
from furrow.assistants.human_wish import wants_person
from furrow.core.context import current_tenant_id, tenant_tx
from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.core.extensions import extensions
from furrow.core.logs import get_logger
from furrow.metering.degrade import Step, step_for

log = get_logger(__name__)

# What an owner's steps leave out, beyond writing, when a budget runs low: see `metering.degrade`.
_SKIPPED = {
    "approved": frozenset({"composed", "quoted"}),
    "human": frozenset({"composed", "quoted", "approved", "fact"}),
}
# Beside an answer from documents a question to choose has to come nearer than where nobody knows an answer; and what
# is less than half as near as the best one only distracts.
NEAR_ENOUGH, NEAR_BESIDE, NEAR_SHARE = 0.15, 0.35, 0.5
NO_USAGE = {"input_hit": 0, "input_miss": 0, "output": 0, "reasoning": 0}


@dataclass(frozen=True)
class Citation:
    """`quote` is the document's text from `start` to `end`, character by character."""

    n: int
    document_id: UUID
    title: str
    page: int | None
    quote: str
    start: int
    end: int
    chunk_id: UUID

    def as_json(self) -> dict[str, Any]:
        data = asdict(self)
        return data | {"document_id": str(self.document_id), "chunk_id": str(self.chunk_id)}


@dataclass(frozen=True)
class Exchange:
    """An earlier question of the conversation and how it was answered."""

    question: str
    answer: str
    rung: str


@dataclass(frozen=True)
class Question:
    """`language` is `zh` or `en`; `history` runs from old to new."""

    text: str
    language: str
    conversation_id: UUID
    history: tuple[Exchange, ...] = ()


@dataclass(frozen=True)
class Near:
    """An approved question that may be meant; `score` runs from 0 to 1."""

    question: str
    score: float


@dataclass(frozen=True)
class RungResult:
    """`opens_ticket`: the visitor asked for a person, and `contact` is how to reach them. `is_gap`: nothing known answers the question."""

    is_answered: bool
    reason: str = ""
    text: str = ""
    pieces: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    usage: Mapping[str, int] = field(default_factory=lambda: dict(NO_USAGE))
    opens_ticket: bool = False
    contact: str = ""
    is_gap: bool = False
    near: tuple[Near, ...] = ()
    on_stored: Callable[[], None] | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


def answered(text: str, **details: Any) -> RungResult:
    return RungResult(is_answered=True, text=text, **details)


def passed(reason: str, **notes: Any) -> RungResult:
    """Not answered; `notes` are figures and ids for the trace. What a model wrote stands only in `kept_back` and
    `thoughts`, for staff: the trace never goes to a visitor or into a log.
    """
    return RungResult(is_answered=False, reason=reason, notes=notes)


@dataclass(frozen=True)
class Answer:
    """What the winning rung said. `trace` has a line for every rung that was asked, in order; in the last one
    `suggested` are the questions that may be meant instead.
    """

    rung: str
    text: str
    citations: tuple[Citation, ...]
    usage: Mapping[str, int]
    trace: tuple[dict[str, Any], ...]
    opens_ticket: bool = False
    contact: str = ""
    is_gap: bool = False
    on_stored: Callable[[], None] | None = None


class Rung(Protocol):
    name: str

    def try_answer(
        self, question: Question, config: AssistantConfig, ctx: "LadderContext"
    ) -> RungResult: ...


class LadderContext:
    """What a rung may do besides answering: report a stage, send the answer piece by piece."""

    def __init__(self, on_delta: Callable[[str], None], on_stage: Callable[[str], None]) -> None:
        self._on_delta = on_delta
        self.stage = on_stage
        self.has_sent = False
        self.is_person_asked = False
        # How the visitor can be reached, when the assistant has just asked for it.
        self.contact = ""
        # Approved questions that came near on the way down.
        self.near: tuple[Near, ...] = ()
        # How far the budgets let an answer go.
        self.step = Step()

    def suggestions(self, least: float = NEAR_ENOUGH) -> tuple[str, ...]:
        """What is worth offering, the nearest first."""
        best = max((near.score for near in self.near), default=0.0)
        kept = [n for n in self.near if n.score >= max(least, best * NEAR_SHARE)]
        return tuple(near.question for near in kept)

    def delta(self, text: str) -> None:
        self.has_sent = True
        self._on_delta(text)


def climb(
    question: Question,
    config: AssistantConfig,
    on_delta: Callable[[str], None],
    on_stage: Callable[[str], None],
    on_reset: Callable[[], None] = lambda: None,
    *,
    hands_over: bool = False,
) -> Answer:
    """Walks the ladder. `on_reset` is called when a rung fails after it had begun to speak; `hands_over` passes the
    question to a person, whatever it is.
    """
    ctx = LadderContext(on_delta, on_stage)
    ctx.is_person_asked = hands_over or wants_person(question.text)
    if config.human.enabled and question.history:
        ctx.contact = contact_left(question.text, question.history[-1])
    names = list(config.rungs)
    if ctx.is_person_asked or ctx.contact:
        names = ["human"]
    else:
        with tenant_tx(current_tenant_id()):
            ctx.step = step_for()
    trace: list[dict[str, Any]] = []
    for name in names:
        started = time.perf_counter()
        result = _try_rung(name, question, config, ctx)
        trace.append(
            {
                "rung": name,
                "outcome": "answered" if result.is_answered else "passed",
                "reason": result.reason,
                "ms": round((time.perf_counter() - started) * 1000),
                **result.notes,
            }
        )
        ctx.near = result.near or ctx.near
        if result.is_answered:
            return _spoken(name, result, ctx, trace)
        if ctx.has_sent:
            on_reset()
            ctx.has_sent = False
    raise LookupError("The human rung is not registered, so nobody can say 'I do not know'")


def _try_rung(
    name: str, question: Question, config: AssistantConfig, ctx: LadderContext
) -> RungResult:
    rung: Rung | None = extensions.rungs.get(name)
    if rung is None:
        return passed("not_installed")
    if ctx.step.name in _SKIPPED and name in _SKIPPED[ctx.step.name]:
        return passed("budget_low", step=ctx.step.as_json())
    try:
        return rung.try_answer(question, config, ctx)
    except (UpstreamFailed, LimitReached) as error:
        log.warning("rung_unavailable", rung=name, code=error.code)
        return passed("unavailable", code=error.code)


def _spoken(
    name: str, result: RungResult, ctx: LadderContext, trace: list[dict[str, Any]]
) -> Answer:
    if suggested := _suggested(name, result, ctx):
        trace[-1]["suggested"] = list(suggested)
    if not ctx.has_sent:
        for piece in result.pieces or (result.text,):
            ctx.delta(piece)
    return Answer(
        rung=name,
        text=result.text,
        citations=result.citations,
        usage=result.usage,
        trace=tuple(trace),
        opens_ticket=result.opens_ticket,
        contact=result.contact,
        is_gap=result.is_gap,
        on_stored=result.on_stored,
    )


def _suggested(name: str, result: RungResult, ctx: LadderContext) -> tuple[str, ...]:
    """Live facts are certain, and who gets a person asked for one."""
    if name == "fact" or result.opens_ticket:
        return ()
    return ctx.suggestions(NEAR_ENOUGH if result.is_gap else NEAR_BESIDE)
