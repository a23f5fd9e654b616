"""The chat model in service: requests in, deltas out, one receipt each."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from inference.config import ChatLimits
from inference.engine.engine import Engine, EngineClosed, StepRunner
from inference.engine.grammar import GrammarUnavailable
from inference.engine.output import Vocabulary
from inference.engine.request import Counts, Delta, Request
from inference.engine.scheduler import Scheduler
from inference.server.admission import Backlog
from inference.server.chat_format import ChatTemplate
from inference.server.errors import Unavailable
from inference.server.metrics import Metrics
from inference.server.pooled import DRAINING_RETRY_S
from inference.server.receipts import ReceiptLog, Work
from inference.server.usage import Usage, usage_build

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedChat:
    """A model ready to step. `max_context` counts prompt and answer; `vocabulary_size` bounds
    the token ids that it knows."""

    runner: StepRunner
    scheduler: Scheduler
    vocabulary: Vocabulary
    template: ChatTemplate
    max_context: int
    vocabulary_size: int


@dataclass(slots=True)
class Mailbox:
    """Where the deltas of one request arrive, on the event loop that asked."""

    request: Request
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    deltas: asyncio.Queue[Delta] = field(default_factory=asyncio.Queue)
    open_choices: int = 0

    def __post_init__(self) -> None:
        self.open_choices = len(self.request.sequences)

    @property
    def is_over(self) -> bool:
        return self.open_choices == 0

    async def next(self) -> Delta:
        delta = await self.deltas.get()
        self.open_choices -= delta.finish_reason is not None
        return delta

    async def all(self) -> AsyncIterator[Delta]:
        while not self.is_over:
            yield await self.next()


class ChatModel:
    """Observes its engine. Requests enter from event loops, everything else is the worker's."""

    def __init__(
        self,
        name: str,
        loaded: LoadedChat,
        *,
        limits: ChatLimits,
        receipts: ReceiptLog,
        metrics: Metrics,
        wake: Callable[[], None],
    ) -> None:
        self.name = name
        self.limits = limits
        self.loaded = loaded
        self.backlog = Backlog(limits)
        self.engine = Engine(
            loaded.runner, loaded.scheduler, loaded.vocabulary, observer=self, wake=wake
        )
        self._receipts = receipts
        self._metrics = metrics
        self._watch(loaded.scheduler)

    def grammar_check(self, source: str) -> None:
        """Raises GrammarRefused or GrammarUnavailable."""
        grammars = self.loaded.vocabulary.grammars
        if grammars is None:
            raise GrammarUnavailable("This model has no structured output.")
        grammars.check(source)

    def open(self, request: Request) -> Mailbox:
        """Hand a request to the engine; raises QueueIsFull, Overloaded or Unavailable."""
        mailbox = Mailbox(request)
        request.context = mailbox
        self.backlog.enter(request)
        try:
            self.engine.submit(request)
        except EngineClosed as error:
            self.backlog.leave(request)
            raise Unavailable(
                "The server is draining.", code="draining", retry_after_s=DRAINING_RETRY_S
            ) from error
        return mailbox

    def request_started(self, request: Request) -> None:
        self.backlog.leave(request)

    def request_finished(self, request: Request) -> None:
        self.backlog.leave(request)
        work = Work(
            request_id=request.request_id,
            kind=request.kind,
            usage=request_usage(request),
            busy_us=request.counts.busy_us,
            finish_reason=str(request.finish_reason),
            started_at=request.created_at,
            first_token_at=request.first_token_at,
            finished_at=request.finished_at or datetime.now(UTC),
            tenant=request.tenant,
            model=self.name,
        )
        self._receipts.append(work)
        self._metrics.work_seen(work)
        if request.first_token_at is not None:
            waited = request.first_token_at - request.created_at
            self._metrics.first_token_seen(waited.total_seconds())

    def step_finished(self, tokens: int, busy_us: int) -> None:
        self.backlog.step_seen(tokens, busy_us)
        self._metrics.batch_seen(len(self.loaded.scheduler.running), busy_us)

    def deliver(self, deltas: Sequence[tuple[Request, Delta]]) -> None:
        """One wake-up of each event loop a step, however many streams it has."""
        posts: dict[asyncio.AbstractEventLoop, list[tuple[Mailbox, Delta]]] = {}
        for request, delta in deltas:
            if isinstance(request.context, Mailbox):
                posts.setdefault(request.context.loop, []).append((request.context, delta))
        for loop, letters in posts.items():
            try:
                loop.call_soon_threadsafe(_post, letters)
            except RuntimeError:
                log.info("a listener's event loop is gone", extra={"deltas": len(letters)})

    def _watch(self, scheduler: Scheduler) -> None:
        pool = scheduler.pool
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "running_sequences": ("Sequences that run", lambda: len(scheduler.running)),
            "waiting_sequences": ("Sequences that wait", lambda: scheduler.queue.length),
            "waiting_requests": ("Requests not started", lambda: self.backlog.requests),
            "waiting_prompt_tokens": ("Their prompt tokens", lambda: self.backlog.tokens),
            "cache_blocks": ("Blocks of the key-value cache", lambda: pool.total),
            "cache_blocks_used": ("Blocks that sequences hold", lambda: pool.used),
            "cache_blocks_cached": ("Blocks kept for reuse", lambda: pool.cached),
            "cache_evictions": ("Cached blocks given up", lambda: pool.evictions),
            "preemptions": ("Sequences stopped for others", lambda: scheduler.preemptions),
        }
        for name, (help_text, read) in gauges.items():
            self._metrics.watch(name, help_text, read)
        counts = self.engine.counts
        for part in Counts.__dataclass_fields__:
            help_text = f"{part} by the engine's own count; idle, the receipts add up to it"
            self._metrics.watch(f"engine_{part}", help_text, partial(getattr, counts, part))


def request_usage(request: Request) -> Usage:
    """Usage of a generating request, at any moment of its life."""
    counts = request.counts
    return usage_build(
        computed=counts.in_miss,
        cached=counts.in_hit,
        sampled=counts.out,
        thought=counts.reasoning,
    )


def _post(letters: list[tuple[Mailbox, Delta]]) -> None:
    for mailbox, delta in letters:
        mailbox.deltas.put_nowait(delta)
