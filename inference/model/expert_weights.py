"""The layouts experts are saved in: one by one, stacked, transposed, in 4 bits."""

from collections.abc import Callable, Iterator

import torch

from inference.model.checkpoint import TensorSource
from inference.model.moe import ExpertWeights
from inference.model.spec import MoeSpec


def experts_read(
    family: str, moe: MoeSpec, hidden: int, source: TensorSource, name: str
) -> Iterator[ExpertWeights]:
    """One expert after another of the block called `name`, in whatever layout they lie."""
    shape = (moe.width, hidden)
    if source.has(f"{name}.experts.0.gate_proj.weight"):
        read = _separate_expert(shape, source, name, ("gate_proj", "up_proj", "down_proj"))
    elif source.has(f"{name}.experts.0.w1.weight"):
        read = _separate_expert(shape, source, name, ("w1", "w3", "w2"))
    elif source.has(f"{name}.input_linear.weight"):
        read = _stacked_expert(
            source, (f"{name}.input_linear.weight", f"{name}.output_linear.weight")
        )
    elif family == "gpt_oss":
        read = _gpt_oss_expert(source, f"{name}.experts")
    else:
        read = _stacked_expert(
            source, (f"{name}.experts.gate_up_proj", f"{name}.experts.down_proj")
        )
    return (read(index) for index in range(moe.experts))


ReadExpert = Callable[[int], ExpertWeights]


def _separate_expert(
    shape: tuple[int, int], source: TensorSource, name: str, parts: tuple[str, str, str]
) -> ReadExpert:
    def read(index: int) -> ExpertWeights:
        gate, up, down = (f"{name}.experts.{index}.{part}.weight" for part in parts)
        return ExpertWeights(
            torch.cat((source.get(gate, shape), source.get(up, shape))),
            source.get(down, shape[::-1]),
        )

    return read


def _stacked_expert(source: TensorSource, names: tuple[str, str]) -> ReadExpert:
    def read(index: int) -> ExpertWeights:
        return ExpertWeights(source.slice(names[0], index), source.slice(names[1], index))

    return read


def _gpt_oss_expert(source: TensorSource, name: str) -> ReadExpert:
    """Gate and up rows alternate; plain weights are saved transposed, 4-bit ones are not."""
    is_packed = source.has(f"{name}.gate_up_proj_blocks")

    def read(index: int) -> ExpertWeights:
        gate_up, down = (source.slice(f"{name}.{part}_proj", index) for part in ("gate_up", "down"))
        if not is_packed:
            gate_up, down = gate_up.T, down.T
        bias = source.slice(f"{name}.gate_up_proj_bias", index)
        return ExpertWeights(
            torch.cat((gate_up[0::2], gate_up[1::2])),
            down,
            torch.cat((bias[0::2], bias[1::2])),
            source.slice(f"{name}.down_proj_bias", index),
        )

    return read
