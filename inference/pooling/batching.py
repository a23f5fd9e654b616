"""Which waiting inputs run together. Plain arithmetic: no torch, no clock, no locks."""

from collections.abc import Sequence
from dataclasses import dataclass

# A batch this small may pad freely: one call costs more than the padding.
FREE_TOKENS = 128
MAX_PADDED_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class BatchCaps:
    """Most inputs, and most tokens with padding, that one batch holds."""

    inputs: int
    tokens: int


def batch_pick(lengths: Sequence[int], caps: BatchCaps) -> list[int]:
    """Indexes of the inputs to run next, out of those waiting in order of arrival.

    The first is always among them, so nothing starves; the others are those nearest to it in
    length, as long as the caps hold and little of the batch is padding.
    """
    first = lengths[0]
    nearest = sorted(range(1, len(lengths)), key=lambda n: (abs(lengths[n] - first), n))
    picked, longest, real = [0], first, first
    for index in nearest:
        if len(picked) == caps.inputs:
            break
        length = lengths[index]
        padded = max(longest, length) * (len(picked) + 1)
        if padded > caps.tokens:
            break
        if padded > FREE_TOKENS and padded - (real + length) > MAX_PADDED_SHARE * padded:
            break
        picked.append(index)
        longest, real = max(longest, length), real + length
    return picked


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number in proportion to the weights; the parts add up to it exactly."""
    parts, given, seen, whole = [], 0, 0, sum(weights)
    for weight in weights:
        seen += weight
        upto = total * seen // whole
        parts.append(upto - given)
        given = upto
    return parts
