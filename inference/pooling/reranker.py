"""A cross-encoder: one score for a query and a document read together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inference.config import Device, Dtype
from inference.pooling.encoder import pretrained_load
from inference.pooling.folder import ModelFolder, UnsupportedModel
from inference.pooling.tokens import TextTokenizer, TokenIds

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reranker:
    """Serves the same queue as an encoder: a row of one number, the score, for each pair."""

    folder: ModelFolder
    tokenizer: TextTokenizer
    network: Any
    device: torch.device
    pad_id: int
    separator_id: int | None

    def vectors(self, batch: Sequence[TokenIds]) -> list[Vector]:
        longest = max(map(len, batch))
        ids = torch.tensor([pair + [self.pad_id] * (longest - len(pair)) for pair in batch])
        lengths = torch.tensor([len(pair) for pair in batch])
        kept = (torch.arange(longest)[None, :] < lengths[:, None]).long()
        inputs = {"input_ids": ids, "attention_mask": kept}
        if self.separator_id is not None:
            inputs["token_type_ids"] = _second_part(ids, self.separator_id) * kept
        with torch.inference_mode():
            logits = self.network(**{k: v.to(self.device) for k, v in inputs.items()}).logits
            # Two classes are "irrelevant, relevant"; one is the relevance itself.
            margin = logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits[:, 0]
            scores = torch.sigmoid(margin.float()).cpu().numpy()
        return list(scores[:, None])


def _second_part(ids: torch.Tensor, separator: int) -> torch.Tensor:
    """ids [B, L] -> 1 behind the first separator of each row, else 0."""
    seen = (ids == separator).cumsum(dim=1)
    return ((seen - (ids == separator).long()) > 0).long()


def reranker_load(folder: ModelFolder, *, device: Device, dtype: Dtype) -> Reranker:
    """Raises ModelRefused when the folder holds no cross-encoder that can be served."""
    names = folder.config.get("architectures") or [""]
    if not str(names[0]).endswith("ForSequenceClassification"):
        raise UnsupportedModel(
            f"{folder.path} is no cross-encoder ({names[0]}): --rerank-model takes models "
            "for sequence classification."
        )
    kind: torch.dtype = getattr(torch, dtype)
    tokenizer, network = pretrained_load(folder, "AutoModelForSequenceClassification", kind)
    if network.config.num_labels > 2:
        raise UnsupportedModel(f"{folder.path} tells {network.config.num_labels} classes apart.")
    has_types = getattr(network.config, "type_vocab_size", 0) > 1
    return Reranker(
        folder=folder,
        tokenizer=TextTokenizer(
            tokenizer.backend_tokenizer, max_length=folder.max_length, lower_case=False
        ),
        network=network.eval().to(device),
        device=torch.device(device),
        pad_id=int(folder.config.get("pad_token_id") or 0),
        separator_id=tokenizer.sep_token_id if has_types else None,
    )
