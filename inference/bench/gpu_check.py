"""One run on a CUDA machine: are the kernels right, and how fast is the server's engine?

    python -m inference.bench.gpu_check [--out FILE] [--minutes 8] [--dry-run]

First Triton against the plain torch reference in bfloat16 at the sizes of real models, and graphs
and overlap against the plain loop; then the Qwen3-30B-A3B and DeepSeek-V2-Lite shapes with random
weights: decode through the engine, prefill, the time to a first token with and without a cached
prefix, each as tokens per second and as a share of the memory bandwidth measured on the same card,
with the bars, beside transformers on the same card. `--dry-run` walks the same way on a processor
with tiny shapes, whose figures mean nothing. No figure from a GPU has been recorded yet.
"""

import argparse
import datetime
import gc
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inference.bench.batches import SequenceChunk, batch_pack
from inference.bench.gpu_check_rig import DRY_RUN, Host, Rig, cuda_rig
from inference.bench.shapes import DEEPSEEK_V2_LITE, QWEN3_30B_A3B, RandomSource
from inference.kernels.cuda_plan import GROUPED_FROM
from inference.model.cache import bytes_per_block
from inference.model.decoder import Decoder
from inference.model.families import spec_from_config
from inference.model.makers import maker_for
from inference.model.moe import FloatExperts
from inference.model.paged import DecodeRows, Scoring, TorchOps
from inference.model.spec import ModelSpec
from inference.model.weights import decoder_build

ALLOWED_ERROR = 0.02
# bfloat16 sums in another order now and then tip a near tie; a mistake leaves next to nothing.
LEAST_SAME = 0.9
CROSSOVER_TOKENS = (16, 64, 128, 256, 512, 1024, 4096)


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's config, the sequences to decode at once, and bars in tokens per second."""

    name: str
    config: dict[str, Any]
    batches: tuple[int, ...]
    bars: dict[int | str, float] = field(default_factory=dict)


SHAPES = (
    Shape(
        "Qwen3-30B-A3B",
        QWEN3_30B_A3B,
        (1, 64, 256),
        {1: 200, 64: 2500, 256: 6000, "prefill": 30_000},
    ),
    Shape("DeepSeek-V2-Lite", DEEPSEEK_V2_LITE, (1, 64), {1: 300}),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="check and measure the CUDA kernels")
    parser.add_argument("--out", type=Path, help="also write the report there")
    parser.add_argument("--minutes", type=float, default=8.0, help="parts left then are skipped")
    parser.add_argument("--dry-run", action="store_true", help="tiny shapes on the processor")
    options = parser.parse_args(arguments)
    if not (options.dry_run or torch.cuda.is_available()):
        sys.stderr.write("gpu_check: needs a CUDA device, or --dry-run\n")
        return 2
    lines = []
    for line in gpu_check(DRY_RUN if options.dry_run else cuda_rig(), options.minutes):
        # Line by line: a run that is cut short has said what it knew.
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        lines.append(line)
        if options.out:
            options.out.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return 1 if any("WRONG" in line for line in lines) else 0


def gpu_check(rig: Rig, minutes: float) -> Iterator[str]:
    """The report's lines: Markdown tables of errors and of speeds."""
    ends_at = time.monotonic() + 60 * minutes
    bandwidth = rig.bandwidth()
    today = datetime.datetime.now(tz=datetime.UTC).date()
    yield f"{rig.name}, torch {torch.__version__}, {today}, {bandwidth / 1e9:.0f} GB/s measured"
    yield from ("", "| check | found | |", "| --- | --- | --- |")
    for name, error in kernels_check(rig).items():
        yield f"| {name} | error {error:.4f} | {'ok' if error < ALLOWED_ERROR else 'WRONG'} |"
    for shape in SHAPES:
        same = loops_check(rig, shape)
        mark = "ok" if same >= LEAST_SAME else "WRONG"
        yield f"| graphs and overlap, {shape.name} of two layers | {same:.0%} same | {mark} |"
    yield ""
    yield experts_crossover(rig)
    yield from ("", "| shape | measured | tokens/s | ms | share of bandwidth | bar |")
    yield "| --- | --- | --- | --- | --- | --- |"
    for shape in SHAPES:
        for measure in (shape_measure, peer_measure):
            if time.monotonic() > ends_at:
                yield f"| {shape.name} | {measure.__name__}: no time left | | | | |"
                continue
            for row in measure(rig, shape, bandwidth):
                yield f"| {shape.name} | {row} |"
            rig.empty_cache()


def kernels_check(rig: Rig) -> dict[str, float]:
    """Relative errors against the reference computed in float32."""
    if not rig.is_cuda:
        return {}
    from inference.kernels.triton_attention import CudaOps  # noqa: PLC0415 - CUDA only
    from inference.kernels.triton_moe import CudaExperts  # noqa: PLC0415 - CUDA only

    found = {}
    ops = CudaOps()
    for name, (heads, kv_heads, width, window, has_sinks) in {
        "decode attention, 32/4 heads x 128": (32, 4, 128, None, False),
        "decode attention, window and sinks, 64/8 x 64": (64, 8, 64, 128, True),
        "decode attention, latent 576/512": (16, 1, 576, None, False),
    }.items():
        keys = random(400, rig.page, kv_heads, width)
        values = keys[..., :512] if width == 576 else random(400, rig.page, kv_heads, width)
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


def loops_check(rig: Rig, shape: Shape) -> float:
    """The share of greedy tokens that captured, overlapped steps and the plain loop agree on."""
    config = rig.fitted(shape.config) | {"num_hidden_layers": 2}
    decoder = decoder_made(rig, spec_from_config(config))
    outputs = []
    for is_fast in (False, True):
        host = Host(rig, decoder, blocks=9 * rig.blocks_for(64), is_fast=is_fast)
        requests = [host.ask(20 + n, tokens=16 + n) for n in range(5)]
        host.run()
        outputs.append([token for one in requests for token in one.sequences[0].ids[20:]])
    pairs = list(zip(*outputs, strict=True))
    return float(sum(a == b for a, b in pairs) / len(pairs))


def experts_crossover(rig: Rig) -> str:
    """Both ways to compute 128 experts of Qwen3's size, by rows: where grouping starts to pay."""
    if not rig.is_cuda:
        return f"Experts are fused below {GROUPED_FROM} rows; measured on a GPU only."
    from inference.kernels.triton_moe import CudaExperts  # noqa: PLC0415 - CUDA only

    kernel = CudaExperts(random(128, 1536, 2048) * 0.02, random(128, 2048, 768) * 0.02)
    times: dict[int, tuple[float, float]] = {}
    for tokens in CROSSOVER_TOKENS:
        states = random(tokens, 2048)
        chosen = torch.rand(tokens, 128, device="cuda").topk(8).indices
        weights = torch.rand(tokens, 8, device="cuda")
        fused, grouped = (
            rig.seconds(partial(way, states, weights, chosen)) * 1e3
            for way in (kernel.fused, kernel.grouped)
        )
        times[tokens] = (fused, grouped)
    return crossover_text(times)


def crossover_text(times: dict[int, tuple[float, float]]) -> str:
    """Milliseconds (fused, grouped) by rows, and what GROUPED_FROM should be by them."""
    parts = [f"{tokens}: {fused:.2f} / {grouped:.2f}" for tokens, (fused, grouped) in times.items()]
    better = [tokens for tokens, (fused, grouped) in times.items() if grouped < fused]
    advice = min(better) if better else "above all of these"
    return (
        f"Experts, ms fused / grouped by rows: {'; '.join(parts)}. "
        f"GROUPED_FROM is {GROUPED_FROM}, by this run {advice}."
    )


def decoder_made(rig: Rig, spec: ModelSpec) -> Decoder:
    maker = maker_for(torch.device(rig.device), rig.dtype, "none")
    return decoder_build(spec, RandomSource(rig.device), maker)


def shape_measure(rig: Rig, shape: Shape, bandwidth: float) -> Iterator[str]:
    """Rows of the table for one shape."""
    spec = spec_from_config(rig.fitted(shape.config))
    decoder = decoder_made(rig, spec)
    per_sequence = rig.blocks_for(rig.context + rig.tokens + 64)
    room = rig.blocks_free(bytes_per_block(spec, rig.page, rig.dtype))
    for count in rig.batches(shape.batches):
        blocks = count * per_sequence + rig.blocks_for(rig.context)
        if blocks > room:
            yield f"decode x{count}: the cache does not fit into this card's memory | | | | "
            continue
        for is_fast in (True, False):
            host = Host(rig, decoder, blocks=blocks, sequences=count, is_fast=is_fast)
            taken = host.decode_seconds(count)
            del host
            label = "graphs and overlap" if is_fast else "plain loop"
            share = decode_bytes(spec, count, rig.context) / taken / bandwidth
            bar = shape.bars.get(count) if is_fast else None
            yield row(f"decode x{count}, {label}", count, taken, share, bar)
            rig.empty_cache()
    yield from prefill_rows(rig, decoder, shape)


def prefill_rows(rig: Rig, decoder: Decoder, shape: Shape) -> Iterator[str]:
    """Prefill of a long prompt; then a prompt alone, and one all of which but a page is cached."""
    host = Host(rig, decoder, blocks=2 * rig.blocks_for(rig.prefill), is_fast=True)
    places = list(range(rig.blocks_for(rig.prefill)))
    ids = [5 + n % 50 for n in range(rig.prefill)]
    batch = batch_pack([SequenceChunk(ids, 0, places)], rig.page, rig.device)
    taken = rig.seconds(partial(decoder.forward, batch, host.cache), 5)
    yield row(f"prefill {rig.prefill}", rig.prefill, taken, None, shape.bars.get("prefill"))
    for name, salts in (("new", (b"a", b"b", b"c")), ("cached", (b"c", b"c", b"c"))):
        waits = [host.first_token_seconds(rig.context, salt) for salt in salts]
        yield row(f"first token, {rig.context} {name}", rig.context, min(waits), None, None)


def row(what: str, tokens: int, taken: float, share: float | None, bar: float | None) -> str:
    rate = tokens / taken
    shown = "" if share is None else f"{share:.0%}"
    mark = "" if bar is None else f"{bar:.0f}: {'met' if rate >= bar else 'MISSED'}"
    return f"{what} | {rate:.0f} | {taken * 1e3:.2f} | {shown} | {mark}"


def decode_bytes(spec: ModelSpec, sequences: int, context: int = 1024) -> float:
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
    return 2 * (total + sequences * context * spec.layers * spec.cache_width)


def peer_measure(rig: Rig, shape: Shape, bandwidth: float) -> Iterator[str]:
    """transformers on the same card, same shape, its own random weights."""
    import transformers  # noqa: PLC0415 - a peer, not a part

    gc.collect()
    rig.empty_cache()
    config = transformers.AutoConfig.for_model(**rig.fitted(shape.config))
    with torch.device(rig.device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=rig.dtype).eval()
    spec = spec_from_config(rig.fitted(shape.config))

    @torch.inference_mode()
    def run(count: int, length: int, past: Any) -> Any:
        ids = torch.full((count, length), 7, device=rig.device)
        out = model(ids, past_key_values=past, use_cache=True, logits_to_keep=1)
        out.logits.argmax(dim=-1).cpu()
        return out.past_key_values

    taken = rig.seconds(lambda: run(1, rig.prefill, None), 2)
    yield row(f"transformers, prefill {rig.prefill}", rig.prefill, taken, None, None)
    for count in rig.batches(shape.batches)[:2]:
        past = run(count, rig.context, None)
        taken = rig.seconds(partial(run, count, 1, past), 8)
        share = decode_bytes(spec, count, rig.context) / taken / bandwidth
        yield row(f"transformers, decode x{count}", count, taken, share, None)
        del past
        rig.empty_cache()


if __name__ == "__main__":
    sys.exit(main())
