"""Rotary positions: plain, linear, Llama-3 and YaRN frequencies."""

import math

import torch
from torch import Tensor

from inference.model.spec import RopeSpec


class Rope:
    """Angles by position. Heads are rotated by halves; interleaved ones are permuted on loading."""

    def __init__(self, spec: RopeSpec, device: torch.device | str) -> None:
        self._frequencies = _frequencies(spec).to(device)
        self._factor = spec.attention_factor

    def angles(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines [T, dim / 2] in float32 of positions [T]."""
        angles = positions[:, None].float() * self._frequencies
        return angles.cos() * self._factor, angles.sin() * self._factor


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate states [T, heads, dim] by cos, sin [T, dim / 2]."""
    first, second = states.float().chunk(2, dim=-1)
    cos, sin = cos[:, None], sin[:, None]
    turned = torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
    return turned.to(states.dtype)


def halves_order(dim: int) -> Tensor:
    """The row order that turns side-by-side pairs into halves."""
    return torch.cat((torch.arange(0, dim, 2), torch.arange(1, dim, 2)))


def _frequencies(spec: RopeSpec) -> Tensor:
    steps = torch.arange(0, spec.dim, 2, dtype=torch.int64).float() / spec.dim
    plain = 1.0 / (spec.theta**steps)
    if spec.kind == "linear":
        return plain / spec.factor
    if spec.kind == "llama3":
        return _llama3(spec, plain)
    if spec.kind == "yarn":
        return _yarn(spec, plain)
    return plain


def _llama3(spec: RopeSpec, plain: Tensor) -> Tensor:
    low_wave = spec.original_positions / spec.low_freq_factor
    high_wave = spec.original_positions / spec.high_freq_factor
    wave = 2 * math.pi / plain
    blend = (spec.original_positions / wave - spec.low_freq_factor) / (
        spec.high_freq_factor - spec.low_freq_factor
    )
    blended = (1 - blend) * plain / spec.factor + blend * plain
    scaled = torch.where(wave > low_wave, plain / spec.factor, plain)
    is_between = (wave >= high_wave) & (wave <= low_wave)
    return torch.where(is_between, blended, scaled)


def _yarn(spec: RopeSpec, plain: Tensor) -> Tensor:
    def turning_dim(rotations: float) -> float:
        inner = spec.original_positions / (rotations * 2 * math.pi)
        return spec.dim * math.log(inner) / (2 * math.log(spec.theta))

    low, high = turning_dim(spec.beta_fast), turning_dim(spec.beta_slow)
    if spec.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, spec.dim - 1)
    if low == high:
        high += 0.001  # the ramp divides by the difference
    ramp = ((torch.arange(spec.dim // 2, dtype=torch.float32) - low) / (high - low)).clamp(0, 1)
    return plain / spec.factor * ramp + plain * (1 - ramp)
