"""What the models will take, worked out and printed before anything is loaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.config import ChatConfig, StartRefused

GIB = 1024**3
# Key-value blocks on a CPU take this part of what is left: the machine has other work.
CPU_CACHE_SHARE = 0.25
# An automatic context is not made shorter than this; below, the start is refused.
LEAST_CONTEXT = 2048


class DoesNotFit(StartRefused):
    """The models need more memory than there is; the message names the flag to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the plan is made from, in bytes and tokens."""

    free: int
    pooled: int
    weights: int
    weights_int8: int | None
    workspace: int
    block_bytes: int
    block_size: int
    positions: int
    sequences: int
    is_cpu: bool


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """How the memory is shared out."""

    needs: Needs
    blocks: int
    max_context: int

    def lines(self) -> list[str]:
        needs = self.needs
        tokens = self.blocks * needs.block_size
        cache = self.blocks * needs.block_bytes
        rows = [
            ("free memory", needs.free, ""),
            ("embedder and reranker", needs.pooled, ""),
            ("chat model weights", needs.weights, "--quantization"),
            ("workspace of a step", needs.workspace, "--step-tokens, --sequences"),
            ("key-value cache", cache, f"--kv-gib; {tokens} tokens in {self.blocks} blocks"),
        ]
        table = [f"  {name:<24}{size / GIB:8.2f} GiB  {note}".rstrip() for name, size, note in rows]
        return ["memory plan", *table, f"  context up to {self.max_context} tokens (--max-context)"]


def plan_make(config: ChatConfig, needs: Needs) -> MemoryPlan:
    """Raises DoesNotFit, naming the flag to change."""
    budget = int(needs.free * config.memory_share)
    left = budget - needs.pooled - needs.weights - needs.workspace
    if left <= 0:
        raise DoesNotFit(_weights_advice(config, needs, budget))
    context = min(config.limits.max_context or needs.positions, needs.positions)
    most = needs.sequences * -(-context // needs.block_size)
    if config.kv_gib is not None:
        asked = int(config.kv_gib * GIB)
        if asked > left:
            raise DoesNotFit(
                f"--kv-gib {config.kv_gib:g} does not fit: {left / GIB:.2f} GiB are left "
                "for the key-value cache."
            )
        blocks = asked // needs.block_bytes
    else:
        share = left * CPU_CACHE_SHARE if needs.is_cpu else left
        blocks = min(most, int(share) // needs.block_bytes)
    room = blocks * needs.block_size
    if room < context and (config.limits.max_context or room < min(LEAST_CONTEXT, context)):
        raise DoesNotFit(
            f"The key-value cache holds {room} tokens, too few for one context of {context}: "
            f"give --max-context {max(room, 1)} or more memory with --kv-gib."
        )
    return MemoryPlan(needs, blocks, min(context, room))


def free_memory(device: str) -> int:
    """Bytes that this process can still take."""
    if device == "cuda":
        # Imported here: only the worker loads torch.
        import torch  # noqa: PLC0415

        return int(torch.cuda.mem_get_info()[0])
    found = [_meminfo("MemAvailable")]
    group = Path("/sys/fs/cgroup")
    limit, current = _number(group / "memory.max"), _number(group / "memory.current")
    if limit is not None:
        found.append(limit - (current or 0))
    return max(0, min(found))


def folder_bytes(files: tuple[Path, ...]) -> int:
    """The size of weights that are loaded as they are saved."""
    return sum(file.stat().st_size for file in files)


def needs_for(spec: Any, config: ChatConfig, *, device: str, pooled: int) -> Needs:
    """The needs of a chat model; `spec` is its ModelSpec."""
    # Imported here: they load torch, which only the worker does.
    import torch  # noqa: PLC0415

    from inference.model.cache import bytes_per_block  # noqa: PLC0415
    from inference.model.makers import is_int8  # noqa: PLC0415
    from inference.model.weights import weight_bytes  # noqa: PLC0415

    dtype: torch.dtype = getattr(torch, dtype_for(config, device))
    quantized = is_int8(torch.device(device), config.quantization)
    size = block_size_for(device)
    limits, is_cpu = config.limits, device == "cpu"
    kind: Any = device
    running = limits.running(kind)
    width = max(spec.hidden, spec.mlp_width, spec.moe.width * spec.moe.top_k if spec.moe else 0)
    # Logits, their scaled copy and their probabilities; then a few activations per token.
    workspace = 3 * 4 * running * spec.vocab + 8 * 4 * limits.budget(kind) * width
    return Needs(
        free=free_memory(device),
        pooled=pooled,
        weights=weight_bytes(spec, "int8" if quantized else "none", dtype),
        weights_int8=None if quantized else weight_bytes(spec, "int8", dtype),
        workspace=workspace,
        block_bytes=bytes_per_block(spec, size, cache_dtype(dtype, is_int8=quantized)),
        block_size=size,
        positions=spec.max_positions,
        sequences=running,
        is_cpu=is_cpu,
    )


def cache_dtype(dtype: Any, *, is_int8: bool) -> Any:
    """What keys and values are kept in: beside int8 weights half the bits do, and what is read
    again for every token is what a CPU waits for."""
    import torch  # noqa: PLC0415 - only the worker loads it

    return torch.float16 if is_int8 and dtype == torch.float32 else dtype


def block_size_for(device: str) -> int:
    """Tokens of one block: what the device's attention kernel likes."""
    return 16 if device == "cpu" else 64


def dtype_for(config: ChatConfig, device: str) -> str:
    """Never bfloat16 by default on a CPU: without AVX-512 it is many times slower."""
    return config.dtype or ("float32" if device == "cpu" else "bfloat16")


def _weights_advice(config: ChatConfig, needs: Needs, budget: int) -> str:
    total = (needs.pooled + needs.weights + needs.workspace) / GIB
    text = (
        f"{config.model} needs {total:.2f} GiB before any key-value cache; "
        f"{budget / GIB:.2f} GiB may be used (--memory-share {config.memory_share:g}). "
    )
    smaller = needs.weights_int8
    if smaller is not None and needs.pooled + smaller + needs.workspace < budget:
        return text + "It fits with --quantization int8."
    if needs.pooled > 0 and needs.weights + needs.workspace < budget:
        return text + "It fits with --embedding-model none."
    return text + "Choose a smaller model."


def _meminfo(name: str) -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise StartRefused("The machine does not say how much memory is free.")


def _number(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
