"""One request and its sequences: what was asked, how far it is, what it has used."""

from array import array
from collections.abc import Sequence as Ids
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, IntEnum, StrEnum

from inference.engine.detokenize import Detokenizer
from inference.engine.grammar import Grammar
from inference.engine.reasoning import Reasoning, Splitter
from inference.engine.speculative import NgramIndex
from inference.engine.stops import StopMatcher


class Priority(IntEnum):
    """Lower is served first."""

    INTERACTIVE = 0
    STANDARD = 1
    BATCH = 2


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"
    ERROR = "error"


class State(Enum):
    WAITING = 0
    RUNNING = 1
    FINISHED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen. `top_logprobs` None means that no logprobs are wanted."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    logit_bias: dict[int, float] = field(default_factory=dict)
    seed: int = 0
    top_logprobs: int | None = None

    @property
    def is_greedy(self) -> bool:
        return self.temperature < 1e-5

    @property
    def is_truncated(self) -> bool:
        return self.top_p < 1.0 or self.top_k > 0 or self.min_p > 0.0

    @property
    def changes_logits(self) -> bool:
        return bool(
            self.presence_penalty
            or self.frequency_penalty
            or self.repetition_penalty != 1.0
            or self.logit_bias
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When a sequence is over."""

    max_tokens: int
    stops: tuple[str, ...] = ()
    ignore_eos: bool = False


@dataclass(frozen=True, slots=True)
class Logprob:
    """A token's log probability before temperature, and those of the likeliest tokens."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()


@dataclass(slots=True)
class Sampled:
    """What a slice of a step gave: tokens[n] follows after n of its guesses hold."""

    tokens: list[int]
    logprobs: list[Logprob | None]


@dataclass(slots=True)
class Counts:
    """Work done, as it happens; the only source of usage. Prompt tokens count once."""

    in_hit: int = 0
    in_miss: int = 0
    out: int = 0
    reasoning: int = 0
    busy_us: int = 0

    def add(self, other: "Counts") -> None:
        self.in_hit += other.in_hit
        self.in_miss += other.in_miss
        self.out += other.out
        self.reasoning += other.reasoning
        self.busy_us += other.busy_us


@dataclass(slots=True, eq=False)
class Sequence:
    """One choice of a request. `ids` is the prompt and then what was sampled.

    The first `computed` ids have their keys and values in `blocks`. The leader of a prompt
    computes it first; its siblings wait and then find it cached.
    """

    request: "Request"
    index: int
    ids: "array[int]"
    prompt_len: int
    leader: "Sequence | None" = None
    state: State = State.WAITING
    # Ids in steps that have been launched count as computed; the token such a step samples
    # is in flight until it is read back.
    computed: int = 0
    in_flight: int = 0
    # Prompt tokens already counted as hit or miss.
    counted: int = 0
    blocks: "array[int]" = field(default_factory=lambda: array("i"))
    names: list[bytes] = field(default_factory=list)
    published: int = 0
    arrival: int = 0
    queued_at: float = 0.0
    was_admitted: bool = False
    finish_reason: FinishReason | None = None
    preemptions: int = 0
    # Tokens sampled before it is certain whether they are thoughts.
    undecided: int = 0
    token_counts: dict[int, int] = field(default_factory=dict)
    ngrams: NgramIndex | None = None
    detokenizer: Detokenizer | None = None
    stopper: StopMatcher | None = None
    thinker: Splitter | None = None
    grammar: Grammar | None = None

    @property
    def tenant(self) -> str:
        return self.request.tenant

    @property
    def pending(self) -> int:
        """Ids whose keys and values are still to be computed."""
        return len(self.ids) + self.in_flight - self.computed

    @property
    def can_fly(self) -> bool:
        """Whether its next step needs no look at the token of this one, which may then still
        be on the device."""
        is_bound = self.grammar is not None or self.ngrams is not None
        return not is_bound and not self.request.sampling.changes_logits

    @property
    def sampled(self) -> int:
        return len(self.ids) - self.prompt_len

    @property
    def is_held_back(self) -> bool:
        """Whether it should wait for its leader to have computed their prompt."""
        leader = self.leader
        return (
            leader is not None
            and leader.state is not State.FINISHED
            # Counted when it was read back: before that its blocks cannot be found.
            and min(leader.computed, leader.counted) < leader.prompt_len
        )


@dataclass(slots=True, eq=False)
class Request:
    """What one call asked for; it leaves one receipt, however many choices it has."""

    request_id: str
    prompts: list[Ids[int]]
    sampling: Sampling
    ending: Ending
    tenant: str = ""
    salt: bytes = b""
    kind: str = "chat"
    priority: Priority = Priority.STANDARD
    choices: int = 1
    reasoning: Reasoning = Reasoning.OFF
    grammar: str | None = None
    context: object = None
    sequences: list[Sequence] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    first_token_at: datetime | None = None
    finished_at: datetime | None = None
    failure: str | None = None

    def __post_init__(self) -> None:
        for prompt in self.prompts:
            leader = None
            for _ in range(self.choices):
                ids = array("q", prompt)
                sequence = Sequence(self, len(self.sequences), ids, len(ids), leader)
                leader = leader or sequence
                self.sequences.append(sequence)

    @property
    def prompt_tokens(self) -> int:
        return sum(map(len, self.prompts))

    @property
    def is_finished(self) -> bool:
        return all(sequence.state is State.FINISHED for sequence in self.sequences)

    @property
    def finish_reason(self) -> FinishReason:
        """The one a receipt shows: the worst of the choices'."""
        reasons = {sequence.finish_reason for sequence in self.sequences}
        for reason in (FinishReason.ERROR, FinishReason.CANCELLED, FinishReason.LENGTH):
            if reason in reasons:
                return reason
        return FinishReason.STOP


@dataclass(frozen=True, slots=True)
class Delta:
    """What one step added to one choice; `finish_reason` is set in its last one."""

    index: int
    text: str = ""
    reasoning: str = ""
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[Logprob, ...] = ()
    finish_reason: FinishReason | None = None
