"""Multi-head latent attention: one small latent per token is cached instead of keys and values.

Naive: expand the latent to keys and values and attend as usual; cheapest for many new tokens.
Absorbed: fold the expansion into the query and the output, so every head reads the latent itself
as one shared key head; cheapest for one new token. Both are the same sum in another order.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inference.model.layers import LinearOp, RmsNorm
from inference.model.paged import Prefill, Scoring, StepContext, gather_pages
from inference.model.spec import MlaSpec


@dataclass(frozen=True, slots=True)
class LatentAttention:
    """[T, hidden] -> [T, hidden]. `expand` is kv_b [heads * (nope + v), kv_rank] in float."""

    mla: MlaSpec
    heads: int
    layer: int
    query_down: LinearOp | None
    query_norm: RmsNorm | None
    query_up: LinearOp
    latent_down: LinearOp
    latent_norm: RmsNorm
    expand: Tensor
    out: LinearOp
    scoring: Scoring

    def __call__(self, states: Tensor, step: StepContext) -> Tensor:
        query = self._query(states, step)
        latent = self._latent(states, step)
        step.write(self.layer, latent, None)

        def expanded(chunk: Prefill, start: int) -> tuple[Tensor, Tensor]:
            return self._expanded(chunk, start, step, query.dtype)

        def absorbed(rows: Tensor) -> Tensor:
            return self._absorbed(rows, step)

        mixed = step.attend(absorbed, query, expanded, self.mla.v_dim, self.scoring)
        return self.out(mixed.flatten(1))

    def _absorbed(self, query: Tensor, step: StepContext) -> Tensor:
        """query [S, heads, nope + rope] of single-token rows -> [S, heads, v_dim]."""
        nope, up = self.mla.nope_dim, self._expansion()
        folded = torch.bmm(query[..., :nope].transpose(0, 1), up[:, :nope]).transpose(0, 1)
        wide = torch.cat((folded, query[..., nope:]), dim=-1)
        mixed = step.attend_decode(self.layer, wide, self.scoring)
        return torch.bmm(mixed.transpose(0, 1), up[:, nope:].transpose(1, 2)).transpose(0, 1)

    def _expansion(self) -> Tensor:
        return self.expand.view(self.heads, self.mla.nope_dim + self.mla.v_dim, self.mla.kv_rank)

    def _query(self, states: Tensor, step: StepContext) -> Tensor:
        if self.query_down is not None and self.query_norm is not None:
            states = self.query_norm(self.query_down(states))
        query = self.query_up(states).view(len(states), self.heads, -1)
        nope = self.mla.nope_dim
        turned = step.rotate(query[..., nope:])
        return torch.cat((query[..., :nope], turned), dim=-1)

    def _latent(self, states: Tensor, step: StepContext) -> Tensor:
        """[T, 1, kv_rank + rope_dim]: the normed latent and the one rotated key."""
        rank = self.mla.kv_rank
        joined = self.latent_down(states)
        turned = step.rotate(joined[:, None, rank:])
        return torch.cat((self.latent_norm(joined[:, :rank])[:, None], turned), dim=-1)

    def _expanded(
        self, chunk: Prefill, start: int, step: StepContext, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        pages = step.cache.keys[self.layer]
        latent = gather_pages(pages, chunk.table, start, chunk.context)[:, 0].to(dtype)
        rank, nope = self.mla.kv_rank, self.mla.nope_dim
        wide = functional.linear(latent[:, :rank], self.expand).view(len(latent), self.heads, -1)
        rotated = latent[:, None, rank:].expand(-1, self.heads, -1)
        return torch.cat((wide[..., :nope], rotated), dim=-1), wide[..., nope:]
