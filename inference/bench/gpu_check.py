"""One run on a CUDA machine: are the kernels right, and how fast is the decoder?

    python -m inference.bench.gpu_check [--out FILE]

First Triton against the plain torch reference in bfloat16, at the sizes of real models; then the
Qwen3-30B-A3B and DeepSeek-V2-Lite shapes with random weights: decode with captured graphs,
prefill, and the time to a first token with and without a cached prefix, each as tokens per second
and as a share of the memory bandwidth measured on the same card. No figure from a GPU has been
recorded yet: the first run on one writes it.
"""

import argparse
import datetime
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inference.bench.shapes import DEEPSEEK_V2_LITE, QWEN3_30B_A3B, RandomSource
from inference.model.batch import SequenceChunk, StepBatch, batch_pack
from inference.model.cache import KvCache
from inference.model.decoder import Decoder
from inference.model.makers import maker_for
from inference.model.moe import FloatExperts
from inference.model.paged import DecodeRows, Scoring, TorchOps
from inference.model.spec import ModelSpec, spec_from_config
from inference.model.weights import decoder_build

PAGE = 64
CONTEXT = 1024
PREFILL = 4096
ALLOWED_ERROR = 0.02
SHAPES: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "Qwen3-30B-A3B": (QWEN3_30B_A3B, (1, 64, 256)),
    "DeepSeek-V2-Lite": (DEEPSEEK_V2_LITE, (1, 64)),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="check and measure the CUDA kernels")
    parser.add_argument("--out", type=Path, help="also write the report there")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.stderr.write("gpu_check: needs a CUDA device\n")
        return 2
    report = gpu_check()
    sys.stdout.write(report)
    if options.out:
        options.out.write_text(report, encoding="utf-8")
    return 0 if "WRONG" not in report else 1


def gpu_check() -> str:
    """Markdown: one table of errors, one of speeds."""
    bandwidth = bandwidth_measure()
    lines = [
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, "
        f"{datetime.datetime.now(tz=datetime.UTC).date()}, measured bandwidth "
        f"{bandwidth / 1e9:.0f} GB/s",
        "",
        "| kernel | relative error | |",
        "| --- | --- | --- |",
        *[
            f"| {name} | {error:.4f} | {'ok' if error < ALLOWED_ERROR else 'WRONG'} |"
            for name, error in kernels_check().items()
        ],
        "",
        "| shape | measured | tokens/s | ms | share of bandwidth |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, (config, batches) in SHAPES.items():
        lines += [f"| {name} | {row} |" for row in shape_measure(config, batches, bandwidth)]
        torch.cuda.empty_cache()
    return "\n".join([*lines, "", experts_crossover(), ""])


def bandwidth_measure() -> float:
    """Bytes a second of a large copy, reads and writes together."""
    source = torch.empty(1 << 31, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: target.copy_(source))


def seconds(work: Callable[[], object], repeats: int = 10) -> float:
    """The mean time of one call after two to warm up."""
    for _ in range(2):
        work()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / repeats


def kernels_check() -> dict[str, float]:
    """Relative errors against the reference computed in float32."""
    from inference.kernels.triton_attention import CudaOps  # noqa: PLC0415 - CUDA only
    from inference.kernels.triton_moe import CudaExperts  # noqa: PLC0415 - CUDA only

    found = {}
    ops = CudaOps()
    for name, (heads, kv_heads, width, window, has_sinks) in {
        "decode attention, 32/4 heads x 128": (32, 4, 128, None, False),
        "decode attention, window and sinks, 64/8 x 64": (64, 8, 64, 128, True),
        "decode attention, latent 576/512": (16, 1, 576, None, False),
    }.items():
        keys = random(400, PAGE, kv_heads, width)
        values = keys[..., :512] if width == 576 else random(400, PAGE, kv_heads, width)
        lengths = torch.tensor([1, 777, 4096, 2049], device="cuda")
        tables = torch.randperm(400, device="cuda")[:256].view(4, 64).int()
        decode = DecodeRows(None, tables, lengths, 4096)
        sinks = random(heads).float() if has_sinks else None
        scoring, query = Scoring(width**-0.5, window, sinks), random(4, heads, width)
        expected = TorchOps().decode(query.float(), keys.float(), values.float(), decode, scoring)
        found[name] = error_of(ops.decode(query, keys, values, decode, scoring), expected)
    gate_up, down = random(64, 2816, 2048) * 0.02, random(64, 2048, 1408) * 0.02
    kernel = CudaExperts(gate_up, down)
    for tokens in (1, 33, 700):
        states = random(tokens, 2048)
        chosen = torch.rand(tokens, 64, device="cuda").topk(6).indices
        weights = torch.rand(tokens, 6, device="cuda")
        expected = FloatExperts(gate_up.float(), down.float())(states.float(), weights, chosen)
        for way in ("fused", "grouped"):
            out = getattr(kernel, way)(states, weights, chosen)
            found[f"experts, {way}, {tokens} tokens"] = error_of(out, expected)
    return found


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)


def error_of(found: Tensor, expected: Tensor) -> float:
    return float((found.float() - expected).norm() / expected.norm())


def experts_crossover() -> str:
    """Both ways to compute 128 experts of Qwen3's size, by rows: where grouping starts to pay."""
    from inference.kernels.triton_moe import CudaExperts  # noqa: PLC0415 - CUDA only

    kernel = CudaExperts(random(128, 1536, 2048) * 0.02, random(128, 2048, 768) * 0.02)
    parts = []
    for tokens in (16, 64, 128, 256, 512, 1024, 4096):
        states = random(tokens, 2048)
        chosen = torch.rand(tokens, 128, device="cuda").topk(8).indices
        weights = torch.rand(tokens, 8, device="cuda")
        fused, grouped = (
            seconds(partial(way, states, weights, chosen)) * 1e3
            for way in (kernel.fused, kernel.grouped)
        )
        parts.append(f"{tokens}: {fused:.2f} / {grouped:.2f}")
    return "Experts, ms fused / grouped by tokens: " + "; ".join(parts)


def shape_measure(config: dict[str, Any], batches: tuple[int, ...], bandwidth: float) -> list[str]:
    """Rows of the table for one shape."""
    spec = spec_from_config(config)
    maker = maker_for(torch.device("cuda"), torch.bfloat16, "none")
    decoder = decoder_build(spec, RandomSource("cuda"), maker)
    per_sequence = (CONTEXT + 64) // PAGE
    blocks = max(batches) * per_sequence + PREFILL // PAGE
    cache = KvCache(spec, blocks, PAGE, "cuda", torch.bfloat16)
    rows = []
    for count in batches:
        chunks = [
            SequenceChunk(
                [7 + n % 1000],
                CONTEXT,
                list(range(n * per_sequence, (n + 1) * per_sequence)),
            )
            for n in range(count)
        ]
        taken = decode_seconds(decoder, cache, batch_pack(chunks, PAGE, "cuda"))
        share = decode_bytes(spec, count) / taken / bandwidth
        rows.append(
            f"decode x{count}, {CONTEXT} context | {count / taken:.0f} | {taken * 1e3:.2f} "
            f"| {share:.0%}"
        )
    rows += prefill_rows(decoder, cache, blocks)
    return rows


def decode_seconds(decoder: Decoder, cache: KvCache, batch: StepBatch) -> float:
    """One decode step, replayed from a captured graph."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(2):
            decoder.forward(batch, cache)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        decoder.forward(batch, cache)
    return seconds(graph.replay, 20)


def decode_bytes(spec: ModelSpec, sequences: int) -> float:
    """Bytes a decode step cannot avoid reading, with evenly spread routing, in bfloat16."""
    moe = spec.moe
    layers = sum(spec.is_moe)
    if spec.mla is not None:
        mla = spec.mla
        wide = spec.heads * (mla.nope_dim + mla.rope_dim)
        attention = spec.hidden * (wide + spec.cache_width + spec.heads * mla.v_dim)
        attention += spec.heads * (mla.nope_dim + mla.v_dim) * mla.kv_rank
    else:
        attention = spec.hidden * spec.head_dim * 2 * (spec.heads + spec.kv_heads)
    total = float(spec.layers * attention + spec.vocab * spec.hidden)
    total += (spec.layers - layers) * 3 * spec.hidden * spec.mlp_width
    if moe is not None:
        touched = moe.experts * (1 - (1 - moe.top_k / moe.experts) ** sequences)
        width = touched * moe.width + moe.shared_width
        total += layers * spec.hidden * (3 * width + moe.experts)
    return 2 * (total + sequences * CONTEXT * spec.layers * spec.cache_width)


def prefill_rows(decoder: Decoder, cache: KvCache, blocks: int) -> list[str]:
    """Prefill of a long prompt, and a 1k prompt of which all but one page is cached."""
    places = list(range(blocks - PREFILL // PAGE, blocks))
    rows = []
    for name, start, count in (
        (f"prefill {PREFILL}", 0, PREFILL),
        ("first token, 1024 new", 0, 1024),
        ("first token, 960 of 1024 cached", 960, 64),
    ):
        ids = [5 + n % 1000 for n in range(count)]
        batch = batch_pack([SequenceChunk(ids, start, places)], PAGE, "cuda")
        taken = seconds(partial(decoder.forward, batch, cache), 5)
        rows.append(f"{name} | {count / taken:.0f} | {taken * 1e3:.2f} | |")
    return rows


if __name__ == "__main__":
    sys.exit(main())
