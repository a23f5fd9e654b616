"""Grouped-query attention: a block's projections around the paged cache."""

from dataclasses import dataclass

import torch
from torch import Tensor

from inference.model.layers import LinearOp, RmsNorm
from inference.model.paged import Prefill, Scoring, StepContext, gather_pages
from inference.model.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class GroupedAttention:
    """[T, hidden] -> [T, hidden]; query, key and value are one matrix, heads in that order."""

    spec: ModelSpec
    layer: int
    qkv: LinearOp
    out: LinearOp
    scoring: Scoring
    query_norm: RmsNorm | None = None
    key_norm: RmsNorm | None = None

    def __call__(self, states: Tensor, step: StepContext) -> Tensor:
        query, keys, values = self._heads(self.qkv(states), step)
        step.write(self.layer, keys, values)

        def gather(chunk: Prefill, start: int) -> tuple[Tensor, Tensor]:
            if chunk.context == chunk.query:
                rows = slice(chunk.first + start, chunk.first + chunk.query)
                # As the cache gives them back, or a prompt read at once would differ from one
                # read in parts.
                return step.cache.rounded(keys[rows]), step.cache.rounded(values[rows])
            pages = step.cache.keys[self.layer], step.cache.values[self.layer]
            found = (gather_pages(part, chunk.table, start, chunk.context) for part in pages)
            past_keys, past_values = (part.to(query.dtype) for part in found)
            return past_keys, past_values

        def decode(rows: Tensor) -> Tensor:
            return step.attend_decode(self.layer, rows, self.scoring)

        mixed = step.attend(decode, query, gather, self.spec.head_dim, self.scoring)
        return self.out(mixed.flatten(1))

    def _heads(self, joined: Tensor, step: StepContext) -> tuple[Tensor, Tensor, Tensor]:
        spec = self.spec
        width = spec.head_dim
        if spec.qk_norm != "all" and spec.clip_qkv is None:
            heads = joined.view(len(joined), -1, width)
            turned = spec.heads + spec.kv_heads
            if self.query_norm is not None and self.key_norm is not None:
                normed = (
                    self.query_norm(heads[:, : spec.heads]),
                    self.key_norm(heads[:, spec.heads : turned]),
                    heads[:, turned:],
                )
                heads = torch.cat(normed, dim=1)
            heads = step.rotate(heads, turned)
            return heads[:, : spec.heads], heads[:, spec.heads : turned], heads[:, turned:]
        return self._olmo_heads(joined, step)

    def _olmo_heads(self, joined: Tensor, step: StepContext) -> tuple[Tensor, Tensor, Tensor]:
        """Norm over all heads at once, then clipping, then rotation."""
        spec = self.spec
        sizes = [spec.heads * spec.head_dim, *[spec.kv_heads * spec.head_dim] * 2]
        query, keys, values = torch.split(joined, sizes, dim=-1)
        if self.query_norm is not None and self.key_norm is not None:
            query, keys = self.query_norm(query), self.key_norm(keys)
        if spec.clip_qkv is not None:
            query, keys, values = (
                part.clamp(-spec.clip_qkv, spec.clip_qkv) for part in (query, keys, values)
            )
        query, keys, values = (
            part.reshape(len(joined), -1, spec.head_dim) for part in (query, keys, values)
        )
        return step.rotate(query), step.rotate(keys), values
