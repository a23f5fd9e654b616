"""The next token of every row of a step.

A row's choice is a function of its own logits, seed and place only: one uniform number, made
from (seed, choice, position) by a hash, picks from the row's cumulative probabilities. So what
else is in the batch, a preemption or a guess cannot change an answer.
"""

import struct
from collections.abc import Sequence as Rows
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor

from inference.engine.request import Logprob, Sampling, Sequence

# Truncation looks at this many likeliest tokens first; only a flat distribution needs them all.
CANDIDATES = 1024


@dataclass(slots=True)
class Row:
    """One row of logits: the next token of `sequence` after `extra` guessed ones, at this place
    of its answer."""

    sequence: Sequence
    extra: tuple[int, ...] = ()
    place: int = field(init=False)

    def __post_init__(self) -> None:
        self.place = self.sequence.sampled + self.sequence.in_flight + len(self.extra)

    @property
    def sampling(self) -> Sampling:
        return self.sequence.request.sampling


@dataclass(slots=True)
class Draw:
    """What was drawn for some rows, still on the device; `raw` is for the rows in `wanted`."""

    rows: Rows[Row]
    tokens: Tensor
    wanted: list[int]
    raw: Tensor | None

    def logprobs(self, tokens: list[int]) -> list[Logprob | None]:
        """Of the tokens, read back by now, where asked for."""
        found: list[Logprob | None] = [None] * len(tokens)
        if self.raw is not None:
            for at, n in enumerate(self.wanted):
                top = self.rows[n].sampling.top_logprobs or 0
                found[n] = _logprob(self.raw[at], tokens[n], top)
        return found


def tokens_draw(logits: Tensor, rows: Rows[Row]) -> Draw:
    """logits [R, V] float32, changed in place -> one token a row."""
    wanted = [n for n, row in enumerate(rows) if row.sampling.top_logprobs is not None]
    # From the model's own distribution, before penalties and temperature.
    raw = torch.log_softmax(logits[wanted], dim=-1) if wanted else None
    for n, row in enumerate(rows):
        if row.sampling.changes_logits or row.sequence.grammar is not None:
            _adjust(logits[n], row)
    return Draw(rows, _choose(logits, rows), wanted, raw)


def noise(seed: int, choice: int, place: int) -> float:
    """A uniform number in [0, 1) that depends on nothing but its arguments."""
    packed = struct.pack("<qqq", seed, choice, place)
    return int.from_bytes(blake2b(packed, digest_size=8).digest(), "little") / 2.0**64


def _adjust(logits: Tensor, row: Row) -> None:
    """Penalties, bias and grammar on one row, in place."""
    sampling, sequence = row.sampling, row.sequence
    if sampling.changes_logits:
        _penalise(logits, row)
        if sampling.logit_bias:
            ids = torch.tensor(list(sampling.logit_bias), device=logits.device)
            bias = torch.tensor(list(sampling.logit_bias.values()), device=logits.device)
            logits[ids] += bias
    thinker = sequence.thinker
    if sequence.grammar is not None and not (thinker and thinker.is_thinking):
        allowed = torch.from_numpy(sequence.grammar.allowed(len(logits))).to(logits.device)
        logits.masked_fill_(~allowed, float("-inf"))


def _penalise(logits: Tensor, row: Row) -> None:
    sampling = row.sampling
    counts = dict(row.sequence.token_counts)
    for token in row.extra:
        counts[token] = counts.get(token, 0) + 1
    if sampling.repetition_penalty != 1.0:
        seen = torch.tensor(
            sorted({*counts, *row.sequence.ids[: row.sequence.prompt_len]}), device=logits.device
        )
        values = logits[seen]
        factor = sampling.repetition_penalty
        logits[seen] = torch.where(values > 0, values / factor, values * factor)
    if counts and (sampling.presence_penalty or sampling.frequency_penalty):
        ids = torch.tensor(list(counts), device=logits.device)
        often = torch.tensor(list(counts.values()), device=logits.device, dtype=logits.dtype)
        logits[ids] -= sampling.presence_penalty + sampling.frequency_penalty * often


def _choose(logits: Tensor, rows: Rows[Row]) -> Tensor:
    tokens = logits.argmax(dim=-1)
    plain = [n for n, r in enumerate(rows) if not (r.sampling.is_greedy or r.sampling.is_truncated)]
    cut = [n for n, r in enumerate(rows) if not r.sampling.is_greedy and r.sampling.is_truncated]
    for picked, draw in ((plain, _draw_plain), (cut, _draw_truncated)):
        if picked:
            own = [rows[n] for n in picked]
            places = placed(picked, logits.device)
            heat = placed([row.sampling.temperature for row in own], logits.device)
            tokens[places] = draw(logits[places] / heat[:, None], own)
    return tokens


def placed(values: list[Any], device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """A tensor on the device without waiting for what the device is doing."""
    host = torch.tensor(values, dtype=dtype)
    return host.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else host


def _draw_plain(scaled: Tensor, rows: Rows[Row]) -> Tensor:
    return _draw(torch.softmax(scaled, dim=-1), rows)


def _draw_truncated(scaled: Tensor, rows: Rows[Row]) -> Tensor:
    """scaled [N, V] -> [N]: draw among the likeliest tokens of each row."""
    chances = torch.softmax(scaled, dim=-1)
    vocabulary = chances.shape[-1]
    few, ids = chances.topk(min(CANDIDATES, vocabulary), dim=-1)
    kept = _truncated(few, rows)
    # Where even the last candidate was kept, more tokens could belong to the row's choice. To
    # look is to wait for the device, so rows that a top_k bounds are not looked at.
    is_bounded = all(0 < row.sampling.top_k <= CANDIDATES for row in rows)
    is_whole = is_bounded or few.shape[-1] == vocabulary
    is_short = [] if is_whole else (kept[:, -1] > 0).tolist()
    tokens = ids.gather(1, _draw(kept, rows)[:, None])[:, 0]
    for n, short in enumerate(is_short):
        if short:
            all_chances, all_ids = chances[n : n + 1].sort(dim=-1, descending=True, stable=True)
            place = _draw(_truncated(all_chances, [rows[n]]), [rows[n]])
            tokens[n] = all_ids[0, place[0]]
    return tokens


def _truncated(chances: Tensor, rows: Rows[Row]) -> Tensor:
    """chances [N, K], likeliest first -> the same with what top_k, top_p and min_p drop at 0."""
    device, width = chances.device, chances.shape[-1]
    top_p = placed([row.sampling.top_p for row in rows], device)[:, None]
    min_p = placed([row.sampling.min_p for row in rows], device)[:, None]
    top_k = placed([row.sampling.top_k or width for row in rows], device)[:, None]
    before = chances.cumsum(dim=-1) - chances
    kept = (before < top_p) & (chances >= min_p * chances[:, :1])
    kept &= torch.arange(width, device=device)[None, :] < top_k
    # The likeliest token is always a choice, also for top_p 0.
    kept[:, 0] = True
    return chances * kept


def _draw(chances: Tensor, rows: Rows[Row]) -> Tensor:
    """chances [N, K], not necessarily adding up to 1 -> the places drawn [N]."""
    uniform = [noise(r.sampling.seed, r.sequence.index, r.place) for r in rows]
    upto = chances.double().cumsum(dim=-1)
    target = placed(uniform, chances.device, torch.float64) * upto[:, -1]
    places = torch.searchsorted(upto, target[:, None], right=True)[:, 0]
    # Rounding may leave the target at the very end, behind the last token with a chance.
    last = chances.shape[-1] - 1 - (chances.flip(-1) > 0).int().argmax(dim=-1)
    return torch.minimum(places, last)


def _logprob(row: Tensor, token: int, top: int) -> Logprob:
    likeliest: tuple[tuple[int, float], ...] = ()
    if top:
        values, ids = row.topk(top)
        likeliest = tuple(zip(ids.tolist(), values.tolist(), strict=True))
    return Logprob(token, float(row[token]), likeliest)
