"""The generic decoder: every family is this code with another ModelSpec."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from inference.model.batch import StepBatch
from inference.model.cache import KvCache
from inference.model.layers import LinearOp, RmsNorm
from inference.model.paged import StepContext, StepOps, TorchOps, attention_plan
from inference.model.rope import Rope
from inference.model.spec import ModelSpec


class Attention(Protocol):
    """states [T, hidden] -> [T, hidden], reading and writing the step's cache."""

    def __call__(self, states: Tensor, step: StepContext) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Block:
    attention_norm: RmsNorm
    attention: Attention
    mlp_norm: RmsNorm
    mlp: Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Decoder:
    """Embedding, blocks, norm and head. `embed` maps ids [T] to states [T, hidden]."""

    spec: ModelSpec
    device: torch.device
    dtype: torch.dtype
    embed: Callable[[Tensor], Tensor]
    blocks: tuple[Block, ...]
    norm: RmsNorm
    head: LinearOp
    rope: Rope
    ops: StepOps = field(default_factory=TorchOps)

    @torch.inference_mode()
    def forward(self, batch: StepBatch, cache: KvCache) -> Tensor:
        """Float32 logits [R, vocab] for the rows the batch asks for; fills the cache."""
        cos, sin = self.rope.angles(batch.positions)
        plan = attention_plan(batch, cache.block_size)
        step = StepContext(plan, cache, batch.slots, cos, sin, self.ops)
        states = self.hidden(batch.token_ids, step)
        if len(batch.logit_index) != len(states):
            states = states[batch.logit_index]
        return self.head(self.norm(states)).float() * self.spec.logits_scale

    def hidden(self, token_ids: Tensor, step: StepContext) -> Tensor:
        """States [T, hidden] before the last norm."""
        residual = self.spec.residual_multiplier
        states = self.embed(token_ids) * self.spec.embedding_multiplier
        for block in self.blocks:
            mixed = block.attention(block.attention_norm(states), step)
            states = states.add(mixed, alpha=residual)
            states = states.add(block.mlp(block.mlp_norm(states)), alpha=residual)
        return states


class Embedding:
    """Rows of a float table."""

    __slots__ = ("_dtype", "table")

    def __init__(self, table: Tensor, dtype: torch.dtype) -> None:
        self.table = table
        self._dtype = dtype

    def __call__(self, ids: Tensor) -> Tensor:
        return functional.embedding(ids, self.table).to(self._dtype)
