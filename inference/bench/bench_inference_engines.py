"""The engines compared: this server's decoder, transformers in float32, llama.cpp in Q8_0.

All compute the same shape with random weights and choose greedily. Each lives in a process of
its own, so that its memory can be read off and its threads disturb nobody.
"""

import ctypes
import gc
import importlib.util
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from inference.bench.batches import SequenceChunk, batch_pack
from inference.bench.shapes import RandomSource
from inference.kernels.cpu_int8 import int8_backend
from inference.kernels.cpu_native import cache_folder, native_load
from inference.model.cache import KvCache, bytes_per_block
from inference.model.families import spec_from_config
from inference.model.makers import Int8Maker
from inference.model.weights import decoder_build, weight_bytes

PROMPT = 256
MOST = 16
CONTEXT = PROMPT + 128
BLOCK = 16


class BenchEngine(Protocol):
    """Prompts of 256 tokens; times in seconds."""

    version: str
    weights_mb: float

    def prefill(self) -> float:
        """One prompt, until its first token is chosen."""
        ...

    def decode(self, concurrent: int, steps: int) -> float:
        """The mean step of so many sequences, each after its prompt."""
        ...


def engine_start(name: str, config: dict[str, Any], threads: int) -> BenchEngine:
    """Build an engine; ValueError when its library is missing."""
    torch.set_num_threads(threads)
    if name == "furrow int8":
        return FurrowEngine(config)
    if name == "transformers fp32":
        return TransformersEngine(config)
    if name == "llama.cpp Q8_0" and llama_cpp_found():
        return LlamaCppEngine(config, threads)
    raise ValueError(f"{name} is not installed")


def llama_cpp_found() -> bool:
    """Put the build of `build_peers.sh` for this run's instruction set first, if it is there."""
    isa = os.environ.get("FURROW_CPU_ISA", "native")
    built = cache_folder() / f"llama-cpp-{isa}"
    if built.is_dir():
        sys.path.insert(0, str(built))
        return True
    # One that pip built stands for the processor it was built on.
    return isa == "native" and importlib.util.find_spec("llama_cpp") is not None


def resident_mb() -> float:
    """Memory this process holds."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def prompt_ids(config: dict[str, Any], sequence: int = 0) -> list[int]:
    generator = torch.Generator().manual_seed(sequence)
    ids: list[int] = torch.randint(
        3, config["vocab_size"] - 3, (PROMPT,), generator=generator
    ).tolist()
    return ids


class FurrowEngine:
    def __init__(self, config: dict[str, Any]) -> None:
        spec = spec_from_config(config)
        self._config = config
        self._decoder = decoder_build(spec, RandomSource(), Int8Maker())
        per_sequence = CONTEXT // BLOCK
        self._cache = KvCache(spec, (MOST + 1) * per_sequence, BLOCK, "cpu", torch.float16)
        for pages in (*self._cache.keys, *self._cache.values):
            pages.fill_(0)  # all of it in memory now, so that it can be taken off below
        self._blocks = [
            list(range(n * per_sequence, (n + 1) * per_sequence)) for n in range(MOST + 1)
        ]
        self._filled = 0
        native = native_load()
        isa = "" if native is None else " VNNI" if native.has_vnni else " AVX2"
        self.version = f"{int8_backend().name}{isa} kernels, torch {torch.__version__}"
        self.weights_mb = weight_bytes(spec, "int8", torch.float32) / 2**20
        self.cache_mb = (
            len(self._blocks) * per_sequence * bytes_per_block(spec, BLOCK, torch.float16) / 2**20
        )
        gc.collect()

    def prefill(self) -> float:
        # The last place is kept for this, so that decoding finds its prompts as they were.
        started = time.perf_counter()
        self._step([SequenceChunk(prompt_ids(self._config), 0, self._blocks[MOST])])
        return time.perf_counter() - started

    def decode(self, concurrent: int, steps: int) -> float:
        for sequence in range(self._filled, concurrent):
            ids = prompt_ids(self._config, sequence)
            self._step([SequenceChunk(ids, 0, self._blocks[sequence])])
        self._filled = max(self._filled, concurrent)
        last = [5] * concurrent
        started = time.perf_counter()
        for step in range(steps):
            last = self._step(
                [
                    SequenceChunk([last[n]], PROMPT + step, self._blocks[n])
                    for n in range(concurrent)
                ]
            )
        return (time.perf_counter() - started) / steps

    def _step(self, chunks: Sequence[SequenceChunk]) -> list[int]:
        logits = self._decoder.forward(batch_pack(chunks, BLOCK), self._cache)
        chosen: list[int] = logits.argmax(dim=-1).tolist()
        return chosen


class TransformersEngine:
    def __init__(self, config: dict[str, Any]) -> None:
        # Imported here: only this process needs it.
        import transformers  # noqa: PLC0415

        known = transformers.AutoConfig.for_model(**config)
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(known, dtype=torch.float32)
        self._model = model.to_empty(device="cpu").eval()
        source = RandomSource()
        with torch.no_grad():
            for name, part in self._model.named_parameters():
                part.copy_(source.get(name, tuple(part.shape)))
        # Buffers made on no device hold nothing: the rotation is computed again.
        rotary = self._model.model.rotary_emb
        rotary.__init__(known)
        self._model.tie_weights()
        self._config = config
        self._prompts: dict[int, tuple[torch.Tensor, Any]] = {}
        self.version = f"transformers {transformers.__version__}"
        self.weights_mb = sum(p.nbytes for p in self._model.parameters()) / 2**20

    def prefill(self) -> float:
        started = time.perf_counter()
        self._run(torch.tensor([prompt_ids(self._config)]), None)
        return time.perf_counter() - started

    def decode(self, concurrent: int, steps: int) -> float:
        if concurrent not in self._prompts:
            prompts = torch.tensor([prompt_ids(self._config, n) for n in range(concurrent)])
            self._prompts[concurrent] = self._run(prompts, None)
        last, past = self._prompts[concurrent]
        if past.get_seq_length() > PROMPT:
            past.crop(PROMPT - past.get_seq_length())
        started = time.perf_counter()
        for _ in range(steps):
            last, past = self._run(last, past)
        return (time.perf_counter() - started) / steps

    @torch.inference_mode()
    def _run(self, ids: torch.Tensor, past: Any) -> tuple[torch.Tensor, Any]:
        out = self._model(ids, past_key_values=past, use_cache=True, logits_to_keep=1)
        return out.logits[:, -1:].argmax(dim=-1), out.past_key_values


class LlamaCppEngine:
    """llama.cpp through its C interface, over a random Q8_0 file that is kept for next time."""

    def __init__(self, config: dict[str, Any], threads: int) -> None:
        import llama_cpp  # type: ignore[import-not-found]  # noqa: PLC0415 - optional

        from inference.bench.bench_inference_gguf import gguf_ready  # noqa: PLC0415 - optional

        path = gguf_ready(config)
        # Kept: the library calls it for as long as it lives.
        self._silent = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self._silent, None)
        llama_cpp.llama_backend_init()
        self._lib = llama_cpp
        model_params = llama_cpp.llama_model_default_params()
        model_params.use_mmap = False
        model = llama_cpp.llama_model_load_from_file(os.fsencode(path), model_params)
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = (MOST + 1) * CONTEXT
        params.n_batch = params.n_ubatch = 512
        params.n_seq_max = MOST + 1
        params.n_threads = params.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(model, params)
        if not model or not self._context:
            raise ValueError("llama.cpp could not load the model")
        self._filled = 0
        self._batch = llama_cpp.llama_batch_init(512, 0, 1)
        self._config = config
        self.version = f"llama-cpp-python {llama_cpp.__version__}"
        self.weights_mb = path.stat().st_size / 2**20

    def prefill(self) -> float:
        self._forget(MOST, 0)
        started = time.perf_counter()
        self._decode([(token, n, MOST) for n, token in enumerate(prompt_ids(self._config))])
        return time.perf_counter() - started

    def decode(self, concurrent: int, steps: int) -> float:
        for sequence in range(concurrent):
            self._forget(sequence, PROMPT)
        for sequence in range(self._filled, concurrent):
            ids = prompt_ids(self._config, sequence)
            self._decode([(token, n, sequence) for n, token in enumerate(ids)])
        self._filled = max(self._filled, concurrent)
        last = [5] * concurrent
        started = time.perf_counter()
        for step in range(steps):
            last = self._decode([(last[n], PROMPT + step, n) for n in range(concurrent)])
        return (time.perf_counter() - started) / steps

    def _forget(self, sequence: int, first: int) -> None:
        memory = self._lib.llama_get_memory(self._context)
        self._lib.llama_memory_seq_rm(memory, sequence, first, -1)

    def _decode(self, rows: list[tuple[int, int, int]]) -> list[int]:
        """Rows of (token, position, sequence); a choice for the last row of each sequence."""
        batch, wanted = self._batch, []
        batch.n_tokens = len(rows)
        for n, (token, position, sequence) in enumerate(rows):
            batch.token[n], batch.pos[n] = token, position
            batch.n_seq_id[n], batch.seq_id[n][0] = 1, sequence
            is_last = n + 1 == len(rows) or rows[n + 1][2] != sequence
            batch.logits[n] = is_last
            if is_last:
                wanted.append(n)
        if self._lib.llama_decode(self._context, batch) != 0:
            raise ValueError("llama.cpp refused a batch")
        vocab = self._config["vocab_size"]
        chosen = []
        for n in wanted:
            logits = self._lib.llama_get_logits_ith(self._context, n)
            address = ctypes.addressof(logits.contents)
            array = (ctypes.c_float * vocab).from_address(address)
            chosen.append(int(torch.frombuffer(array, dtype=torch.float32).argmax()))
        return chosen
