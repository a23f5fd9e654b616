"""From a configuration to a chat model ready to step, on the worker thread."""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from inference.config import ChatConfig, StartRefused
from inference.engine.grammar import LlguidanceCompiler
from inference.engine.kv_blocks import BlockPool
from inference.engine.output import Vocabulary
from inference.engine.reasoning import CLOSE, HARMONY_CHANNEL, HARMONY_TAGS, OPEN
from inference.engine.request import Ending, Request, Sampling
from inference.engine.runner import Runner
from inference.engine.scheduler import Scheduler, SchedulerLimits, Slice
from inference.kernels.graphs import GraphedModel
from inference.kernels.threads import threads_set
from inference.model.cache import KvCache
from inference.model.checkpoint import config_read
from inference.model.families import spec_from_config
from inference.model.makers import is_int8
from inference.model.weights import load_model
from inference.pooling.folder import UnsupportedModel, folder_find
from inference.server.chat_format import ChatTemplate, Message
from inference.server.chat_model import LoadedChat
from inference.server.memory import (
    MemoryPlan,
    block_size_for,
    cache_dtype,
    dtype_for,
    needs_for,
    plan_make,
)
from inference.server.tool_calls import DEEPSEEK, GRANITE, HERMES

log = logging.getLogger(__name__)

SHOWN_TAGS = {
    *(OPEN, CLOSE, HERMES.start, HERMES.end, GRANITE.start),
    *(DEEPSEEK.start, DEEPSEEK.end, DEEPSEEK.separator, *DEEPSEEK.around),
}
# How the two kinds of byte-wise vocabularies spell a byte: <0xE6>, or one printable character.
BYTE_PIECE = re.compile(r"<0x[0-9A-F]{2}>")
PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
OTHER_BYTES = sorted(set(range(256)) - set(PRINTABLE))
BYTE_OF = {chr(byte): byte for byte in PRINTABLE}
BYTE_OF |= {chr(256 + n): byte for n, byte in enumerate(OTHER_BYTES)}


@dataclass(frozen=True, slots=True)
class PlannedChat:
    """A model that was found to fit."""

    folder: Path
    spec: Any
    plan: MemoryPlan


def chat_plan(config: ChatConfig, *, device: str, pooled_bytes: int) -> PlannedChat:
    """What will be loaded and how much memory it takes; raises ModelRefused or DoesNotFit."""
    folder = folder_find(config.model)
    spec = spec_from_config(config_read(folder))
    plan = plan_make(config, needs_for(spec, config, device=device, pooled=pooled_bytes))
    for line in plan.lines():
        log.info(line)
    return PlannedChat(folder, spec, plan)


def chat_load(
    config: ChatConfig, planned: PlannedChat, *, device: str, threads: int | None
) -> LoadedChat:
    plan, spec = planned.plan, planned.spec
    dtype: torch.dtype = getattr(torch, dtype_for(config, device))
    tokenizer = HubTokenizer(planned.folder)
    model = load_model(planned.folder, device=device, dtype=dtype, quantization=config.quantization)
    size = block_size_for(device)
    # One block more than the scheduler gives out: the spare one of captured steps.
    has_int8 = is_int8(torch.device(device), config.quantization)
    kept = cache_dtype(dtype, is_int8=has_int8)
    cache = KvCache(spec, plan.blocks + 1, size, device, kept)
    stepper = GraphedModel(model, block_size=size) if device == "cuda" else model
    runner = Runner(stepper, cache, block_size=size, device=device)
    if device == "cpu":
        probe = _probe()
        threads_set(lambda: runner.launch(probe).result(), threads)
    limits = config.limits
    kind: Any = device
    scheduler = Scheduler(
        BlockPool(plan.blocks, size),
        SchedulerLimits(
            step_tokens=limits.budget(kind),
            sequences=limits.running(kind),
            tenant_sequences=limits.tenant_sequences,
            tenant_blocks=limits.tenant_blocks,
            guesses=limits.speculative_tokens,
            guess_below=limits.speculative_below,
        ),
    )
    eos = _eos_ids(planned.folder, spec.eos_ids, tokenizer.eos_id)
    grammars = LlguidanceCompiler(tokenizer.to_json, spec.vocab, sorted(eos))
    return LoadedChat(
        runner=runner,
        scheduler=scheduler,
        vocabulary=Vocabulary(tokenizer.decode, tokenizer.token_bytes, eos, grammars),
        template=ChatTemplate(tokenizer),
        max_context=plan.max_context,
        vocabulary_size=spec.vocab,
    )


class HubTokenizer:
    """A tokenizer in Hugging Face's format. Text goes to the Rust tokenizer itself: the wrapper
    changes settings on every call, which threads must not do at once."""

    def __init__(self, folder: Path) -> None:
        try:
            self._wrapper = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError) as error:
            raise UnsupportedModel(f"The tokenizer of {folder.name} ({error})") from error
        if not self._wrapper.is_fast:
            raise UnsupportedModel(f"The tokenizer of {folder.name}")
        self._backend = self._wrapper.backend_tokenizer
        self._backend.no_padding()
        self._backend.no_truncation()
        self.chat_template = self._wrapper.chat_template
        special = {
            number: token.content
            for number, token in self._backend.get_added_tokens_decoder().items()
            if token.special
        }
        self.all_special_tokens = sorted({*self._wrapper.all_special_tokens, *special.values()})
        self._is_byte_level = "ByteLevel" in repr(self._backend.decoder)
        # Some vocabularies mark the tags that the server reads as special too.
        is_harmony = HARMONY_CHANNEL in special.values()
        shown = SHOWN_TAGS | HARMONY_TAGS if is_harmony else SHOWN_TAGS
        self._hidden = {number for number, text in special.items() if text not in shown}

    @property
    def eos_id(self) -> int | None:
        found: int | None = self._wrapper.eos_token_id
        return found

    def apply_chat_template(self, conversation: list[Message], **options: Any) -> Any:
        return self._wrapper.apply_chat_template(conversation, **options)

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        ids: list[int] = self._backend.encode(text, add_special_tokens=add_special_tokens).ids
        return ids

    def decode(self, token_ids: Sequence[int]) -> str:
        shown = [number for number in token_ids if number not in self._hidden]
        text: str = self._backend.decode(shown, skip_special_tokens=False)
        return text

    def token_bytes(self, token: int) -> bytes:
        """A token's own bytes, which may be a part of a character only."""
        piece = str(self._backend.id_to_token(token))
        if BYTE_PIECE.fullmatch(piece):
            return bytes([int(piece[3:5], 16)])
        is_spelled = self._is_byte_level and token not in self._hidden
        if is_spelled and all(char in BYTE_OF for char in piece):
            return bytes(BYTE_OF[char] for char in piece)
        return self.decode([token]).encode()

    def to_json(self) -> str:
        text: str = self._backend.to_str()
        return text


def _eos_ids(folder: Path, known: Sequence[int], tokenizer_eos: int | None) -> frozenset[int]:
    """Every token that ends an answer; chat models often name another one for a turn's end."""
    found = set(known)
    if tokenizer_eos is not None:
        found.add(tokenizer_eos)
    file = folder / "generation_config.json"
    if file.is_file():
        try:
            given = json.loads(file.read_text(encoding="utf-8")).get("eos_token_id")
        except ValueError as error:
            raise StartRefused(f"{file} is not valid JSON: {error}.") from error
        found.update(given if isinstance(given, list) else [given] if given is not None else [])
    return frozenset(found)


def _probe() -> list[Slice]:
    """One token in the first block; what it leaves in the cache is never read."""
    request = Request("probe", [[0]], Sampling(temperature=0.0), Ending(max_tokens=1))
    choice = request.sequences[0]
    choice.blocks.append(0)
    return [Slice(choice, 0, 1)]
