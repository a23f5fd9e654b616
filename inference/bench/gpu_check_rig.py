"""Where `gpu_check` runs: a CUDA card, or a processor with shapes cut down to walk the same way."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from inference.engine.engine import Engine
from inference.engine.kv_blocks import BlockPool
from inference.engine.output import Vocabulary
from inference.engine.request import Delta, Ending, Request, Sampling
from inference.engine.runner import Runner
from inference.engine.scheduler import Scheduler, SchedulerLimits
from inference.kernels.graphs import Capture, GraphedModel
from inference.model.cache import KvCache
from inference.model.decoder import Decoder

STEP_TOKENS = 8192
GREEDY = Sampling(temperature=0.0)
# What a dry run makes of a shape, where the shape has the field at all.
TINY = {
    "vocab_size": 128,
    "hidden_size": 64,
    "intermediate_size": 96,
    "moe_intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "head_dim": 16,
    "num_experts": 8,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 8,
    "v_head_dim": 8,
}


@dataclass(frozen=True, slots=True)
class Rig:
    """A device and the sizes to measure at."""

    name: str
    device: str
    dtype: torch.dtype
    page: int
    context: int
    prefill: int
    tokens: int
    most: int
    capture: Capture | None = None

    @property
    def is_cuda(self) -> bool:
        return self.device == "cuda"

    def fitted(self, config: dict[str, Any]) -> dict[str, Any]:
        if self.is_cuda:
            return config
        heads = {} if "kv_lora_rank" not in config else {"num_key_value_heads": 4}
        return config | {name: size for name, size in TINY.items() if name in config} | heads

    def batches(self, counts: Sequence[int]) -> list[int]:
        return sorted({min(count, self.most) for count in counts})

    def blocks_for(self, tokens: int) -> int:
        return -(-tokens // self.page)

    def blocks_free(self, block_bytes: int) -> int:
        if not self.is_cuda:
            return 1 << 16
        self.empty_cache()
        # The rest is for activations, graphs and logits.
        return int(torch.cuda.mem_get_info()[0] * 0.85) // block_bytes

    def empty_cache(self) -> None:
        gc.collect()
        if self.is_cuda:
            torch.cuda.empty_cache()

    def wait(self) -> None:
        if self.is_cuda:
            torch.cuda.synchronize()

    def seconds(self, work: Callable[[], object], repeats: int = 10) -> float:
        """The mean time of one call after two to warm up."""
        for _ in range(2):
            work()
        self.wait()
        started = time.perf_counter()
        for _ in range(repeats):
            work()
        self.wait()
        return (time.perf_counter() - started) / repeats

    def bandwidth(self) -> float:
        """Bytes a second of a large copy, reads and writes together."""
        size = 1 << (31 if self.is_cuda else 24)
        source = torch.empty(size, dtype=torch.uint8, device=self.device)
        target = torch.empty_like(source)
        return 2 * source.nbytes / self.seconds(lambda: target.copy_(source))


def again(step: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
    """Stands in for a capture where there is no CUDA: the step runs again, into the same place."""
    kept = step().clone()

    def replay() -> None:
        kept.copy_(step())

    return replay, kept


def cuda_rig() -> Rig:
    name = torch.cuda.get_device_name()
    return Rig(name, "cuda", torch.bfloat16, 64, context=1024, prefill=4096, tokens=64, most=256)


DRY_RUN = Rig(
    "DRY RUN on a processor, figures mean nothing",
    *("cpu", torch.float32, 8),
    context=32,
    prefill=64,
    tokens=8,
    most=4,
    capture=again,
)


@dataclass(slots=True)
class Silent:
    """An observer that hears nothing."""

    first_token: list[float] = field(default_factory=list)

    def request_started(self, request: Request) -> None: ...

    def request_finished(self, request: Request) -> None: ...

    def step_finished(self, tokens: int, busy_us: int) -> None: ...

    def deliver(self, deltas: Sequence[tuple[Request, Delta]]) -> None:
        if not self.first_token:
            self.first_token.append(time.perf_counter())


class Host:
    """The server's engine around a decoder, without HTTP. `is_fast`: graphs and overlap."""

    def __init__(
        self, rig: Rig, decoder: Decoder, *, blocks: int, is_fast: bool, sequences: int = 8
    ) -> None:
        self._rig = rig
        self.cache = KvCache(decoder.spec, blocks + 1, rig.page, rig.device, rig.dtype)
        model = GraphedModel(decoder, block_size=rig.page, capture=rig.capture)
        runner = Runner(
            model if is_fast else decoder, self.cache, block_size=rig.page, device=rig.device
        )
        # Also in a dry run: a step that is over at once may be read back late all the same.
        runner.overlaps = is_fast
        self._heard = Silent()
        limits = SchedulerLimits(step_tokens=STEP_TOKENS, sequences=sequences)
        self._engine = Engine(
            runner,
            Scheduler(BlockPool(blocks, rig.page), limits),
            Vocabulary(lambda ids: "", lambda token: b"", frozenset()),
            self._heard,
        )

    def ask(self, length: int, *, tokens: int, salt: bytes = b"", first: int = 5) -> Request:
        ids = [(first + n * 7) % 100 for n in range(length)]
        request = Request("bench", [ids], GREEDY, Ending(max_tokens=tokens), salt=salt)
        self._engine.submit(request)
        return request

    def run(self) -> None:
        while self._engine.turn():
            pass

    def decode_seconds(self, count: int) -> float:
        """The mean step of so many sequences once all of them generate; the first few steps,
        in which graphs are captured, do not count."""
        rig = self._rig
        # The first ones write a token in every step that still reads the others' prompts.
        tokens = rig.tokens + count * rig.context // STEP_TOKENS
        requests = [
            self.ask(rig.context, tokens=tokens, salt=bytes([n % 256]), first=n)
            for n in range(count)
        ]
        last = requests[-1].sequences[0]
        while last.sampled < 4:
            self._engine.turn()
        rig.wait()
        before, started = last.sampled, time.perf_counter()
        # Until the first is about to end: from then on a step is not a full one any more.
        while requests[0].sequences[0].sampled < tokens - 1:
            self._engine.turn()
        rig.wait()
        return (time.perf_counter() - started) / max(1, last.sampled - before)

    def first_token_seconds(self, length: int, salt: bytes) -> float:
        """From asking to the first delta; the same salt again finds the prompt cached."""
        self._heard.first_token.clear()
        started = time.perf_counter()
        self.ask(length, tokens=2, salt=salt)
        self.run()
        return self._heard.first_token[0] - started
