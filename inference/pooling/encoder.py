"""An encoder ready to run: tokenizer, network, pooling. The only importer of torch here but bert."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from inference.config import Device, Dtype
from inference.kernels.threads import threads_set
from inference.pooling import bert
from inference.pooling.folder import ModelFolder, UnsupportedModel
from inference.pooling.tokens import TextTokenizer, TokenIds

Vector = NDArray[np.float32]
Network = Callable[[Tensor, Tensor | None], Tensor]


@dataclass(frozen=True, slots=True)
class Encoder:
    """Call `vectors` from one thread only; the thread count of torch belongs to that thread."""

    folder: ModelFolder
    tokenizer: TextTokenizer
    network: Network
    device: torch.device
    pad_id: int

    def vectors(self, batch: Sequence[TokenIds]) -> list[Vector]:
        """One row per id list, in order; the lists may differ in length but none is empty."""
        lengths = torch.tensor([len(ids) for ids in batch])
        longest = int(lengths.max())
        padded = torch.tensor([ids + [self.pad_id] * (longest - len(ids)) for ids in batch])
        is_even = bool((lengths == longest).all())
        lengths = lengths.to(self.device)
        with torch.inference_mode():
            kept = torch.arange(longest, device=self.device)[None, :] < lengths[:, None]
            states = self.network(padded.to(self.device), None if is_even else kept).float()
            pooled = _pool(states, kept, lengths, self.folder.pooling)
            if self.folder.normalize:
                pooled = functional.normalize(pooled, dim=-1)
            return list(pooled.cpu().numpy())


def _pool(states: Tensor, kept: Tensor, lengths: Tensor, pooling: str) -> Tensor:
    """states [B, L, H], kept [B, L], lengths [B] -> [B, H]."""
    if pooling == "cls":
        return states[:, 0]
    if pooling == "last":
        return states[torch.arange(len(lengths), device=states.device), lengths - 1]
    return (states * kept[:, :, None]).sum(dim=1) / lengths[:, None]


def encoder_load(
    folder: ModelFolder, *, device: Device, dtype: Dtype, threads: int | None
) -> Encoder:
    """Load the network and warm it up; raises ModelRefused when the folder cannot be served."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UnsupportedModel("--device cuda: torch finds no CUDA device on this machine.")
    torch.set_grad_enabled(False)
    place = torch.device(device)
    kind: torch.dtype = getattr(torch, dtype)
    tokenizer_file = folder.path / "tokenizer.json"
    if bert.is_supported(folder.config) and tokenizer_file.is_file():
        backend = Tokenizer.from_file(str(tokenizer_file))
        network: Network = bert.bert_load(folder.weight_files, folder.config, place, kind)
    else:
        backend, network = _transformers_load(folder, place, kind)
    encoder = Encoder(
        folder=folder,
        tokenizer=TextTokenizer(
            backend, max_length=folder.max_length, lower_case=folder.lower_case
        ),
        network=network,
        device=place,
        pad_id=int(folder.config.get("pad_token_id") or 0),
    )
    probe = [[encoder.pad_id] * min(64, folder.max_length)] * 8
    if device == "cpu":
        threads_set(lambda: encoder.vectors(probe), threads)
    else:
        encoder.vectors(probe)
    return encoder


def pretrained_load(folder: ModelFolder, kind: str, dtype: torch.dtype) -> tuple[Any, Any]:
    """Tokenizer and model by one of transformers' Auto classes; raises UnsupportedModel."""
    # Imported here: the BERT family, the common case, does without it.
    import transformers  # noqa: PLC0415

    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder.path, **options)
        options |= {"use_safetensors": True, "dtype": dtype}
        model = getattr(transformers, kind).from_pretrained(folder.path, **options)
    except (OSError, ValueError, KeyError) as error:
        raise UnsupportedModel(f"{folder.path} could not be loaded: {error}") from error
    if not tokenizer.is_fast:
        raise UnsupportedModel(f"{folder.path} has no tokenizer that the server can use.")
    return tokenizer, model


def _transformers_load(
    folder: ModelFolder, device: torch.device, dtype: torch.dtype
) -> tuple[Tokenizer, Network]:
    tokenizer, model = pretrained_load(folder, "AutoModel", dtype)
    model = model.eval().to(device)

    def network(ids: Tensor, mask: Tensor | None) -> Tensor:
        kept = torch.ones_like(ids) if mask is None else mask.long()
        states: Tensor = model(input_ids=ids, attention_mask=kept).last_hidden_state
        return states

    return tokenizer.backend_tokenizer, network
