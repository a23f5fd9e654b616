"""Sampled tokens to what a client sees: text, thoughts, logprobs, and the end of a choice."""

from collections.abc import Callable
from dataclasses import dataclass

from inference.engine.detokenize import Decode, Detokenizer
from inference.engine.grammar import GrammarCompiler, GrammarRefused, GrammarUnavailable
from inference.engine.reasoning import splitter_for
from inference.engine.request import Counts, Delta, FinishReason, Sampled, Sequence
from inference.engine.stops import StopMatcher


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the engine must know of the tokenizer; `raw` is one token's own bytes."""

    decode: Decode
    raw: Callable[[int], bytes]
    eos: frozenset[int]
    grammars: GrammarCompiler | None = None


@dataclass(slots=True)
class _Pieces:
    """What one step adds to one choice, until it is a Delta."""

    text: str = ""
    reasoning: str = ""

    def add(self, thoughts: str, answer: str) -> None:
        self.reasoning += thoughts
        self.text += answer


def sequence_equip(sequence: Sequence, vocabulary: Vocabulary) -> None:
    """Give a new sequence its text machines; raises GrammarRefused or GrammarUnavailable."""
    request = sequence.request
    sequence.detokenizer = Detokenizer(vocabulary.decode, sequence.ids[-4:].tolist())
    if request.ending.stops:
        sequence.stopper = StopMatcher(request.ending.stops)
    sequence.thinker = splitter_for(request.reasoning)
    if request.grammar is not None:
        if vocabulary.grammars is None:
            raise GrammarUnavailable("This model has no structured output.")
        sequence.grammar = vocabulary.grammars.start(request.grammar)


def tokens_take(
    sequence: Sequence, sampled: Sampled, most: int, eos: frozenset[int]
) -> tuple[Delta, Counts]:
    """Add up to `most` sampled tokens to a sequence; those after its end are dropped."""
    pieces, work, kept = _Pieces(), Counts(), 0
    reason: FinishReason | None = None
    while reason is None and kept < most:
        token = sampled.tokens[kept]
        was_thinking = sequence.thinker is not None and sequence.thinker.is_thinking
        reason = _take_token(sequence, token, pieces, eos)
        work.out += 1
        work.reasoning += _thoughts(sequence, was_thinking)
        kept += 1
    pairs = zip(sampled.tokens[:kept], sampled.logprobs[:kept], strict=True)
    delta = Delta(
        sequence.index,
        pieces.text,
        pieces.reasoning,
        tuple(sampled.tokens[:kept]),
        tuple(found for token, found in pairs if found is not None and token not in eos),
        reason,
    )
    return delta, work


def _take_token(
    sequence: Sequence, token: int, pieces: _Pieces, eos: frozenset[int]
) -> FinishReason | None:
    """The reason when the token ends the sequence."""
    was_thinking = sequence.thinker is not None and sequence.thinker.is_thinking
    sequence.ids.append(token)
    sequence.token_counts[token] = sequence.token_counts.get(token, 0) + 1
    ending = sequence.request.ending
    reason: FinishReason | None = None
    if token in eos and not ending.ignore_eos:
        reason = FinishReason.STOP
    else:
        reason = _grow_text(sequence, token, pieces)
    if reason is None and sequence.grammar is not None and not was_thinking:
        reason = _follow_grammar(sequence, token)
    if reason is None and sequence.sampled >= ending.max_tokens:
        reason = FinishReason.LENGTH
    if reason is not None:
        _flush(sequence, pieces)
    return reason


def _grow_text(sequence: Sequence, token: int, pieces: _Pieces) -> FinishReason | None:
    assert sequence.detokenizer is not None  # noqa: S101 - set when the request began
    text = sequence.detokenizer.feed(token)
    is_stopped = False
    if sequence.stopper is not None:
        text, is_stopped = sequence.stopper.feed(text)
    pieces.add(*(sequence.thinker.feed(text) if sequence.thinker else ("", text)))
    return FinishReason.STOP if is_stopped else None


def _follow_grammar(sequence: Sequence, token: int) -> FinishReason | None:
    assert sequence.grammar is not None  # noqa: S101 - asked by the caller
    try:
        sequence.grammar.accept(token)
    except GrammarRefused as error:
        sequence.request.failure = str(error)
        return FinishReason.ERROR
    return FinishReason.STOP if sequence.grammar.is_over else None


def _flush(sequence: Sequence, pieces: _Pieces) -> None:
    """Show what was held back, now that nothing more comes."""
    text = sequence.detokenizer.flush() if sequence.detokenizer else ""
    if sequence.stopper is not None:
        text, is_stopped = sequence.stopper.feed(text)
        text += "" if is_stopped else sequence.stopper.flush()
    if sequence.thinker is None:
        pieces.add("", text)
    else:
        pieces.add(*sequence.thinker.feed(text))
        pieces.add(*sequence.thinker.flush())


def _thoughts(sequence: Sequence, was_thinking: bool) -> int:
    """How many tokens, this one and undecided ones before it, turned out to be thoughts."""
    thinker = sequence.thinker
    if thinker is None:
        return 0
    if was_thinking or thinker.is_thinking:
        thoughts, sequence.undecided = sequence.undecided + 1, 0
        return thoughts
    sequence.undecided = sequence.undecided + 1 if thinker.is_undecided else 0
    return 0
