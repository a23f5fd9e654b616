"""`python -m inference bench`: the decoder beside transformers and llama.cpp, in one run.

The engines take turns, round by round, so that a disturbance meets all of them; the best round
counts. Each does a model step and a greedy choice, without HTTP or a queue around it.
"""

import datetime
import multiprocessing
import os
import platform
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from inference.bench.shapes import GRANITE_1B_A400M

ENGINES = ("furrow int8", "transformers fp32", "llama.cpp Q8_0")
CONCURRENT = (1, 4, 16)
# The slow one gets fewer steps; its rate is steady enough.
STEPS = {"transformers fp32": 4}


@dataclass(slots=True)
class Measured:
    """Best seconds by what was measured: "prefill" or a number of sequences."""

    version: str
    weights_mb: float
    memory_mb: float
    best: dict[str | int, float] = field(default_factory=dict)

    def rate(self, what: str | int) -> float:
        """Tokens a second."""
        return (256 if what == "prefill" else int(what)) / self.best[what]


def bench_inference(*, threads: int | None, rounds: int, layers: int | None = None) -> str:
    """Measure and answer a Markdown table."""
    config = GRANITE_1B_A400M | ({} if layers is None else {"num_hidden_layers": layers})
    count = threads or os.cpu_count() or 1
    # Spawned: a forked process would share the parent's idle threads and fare worse.
    context = multiprocessing.get_context("spawn")
    workers = {}
    notes = []
    for name in ENGINES:
        near, far = context.Pipe()
        process = context.Process(target=_serve, args=(far, name, config, count), daemon=True)
        process.start()
        # Ours would keep the pipe open, and a worker that died would never be noticed.
        far.close()
        started = near.recv()
        if isinstance(started, str):
            notes.append(f"{name}: {started}.")
            continue
        workers[name] = (near, Measured(**started))
    for _ in range(rounds):
        for what in ("prefill", *CONCURRENT):
            for name, (pipe, measured) in workers.items():
                pipe.send((what, STEPS.get(name, 16)))
                measured.best[what] = min(pipe.recv(), measured.best.get(what, float("inf")))
    for pipe, measured in workers.values():
        pipe.send(None)
        measured.memory_mb = max(measured.memory_mb, pipe.recv())
    return _table({name: found for name, (_, found) in workers.items()}, config, count, notes)


def _serve(pipe: Connection, name: str, config: dict[str, Any], threads: int) -> None:
    # Imported here: the parent process stays small and starts no threads of its own.
    from inference.bench.bench_inference_engines import (  # noqa: PLC0415
        engine_start,
        resident_mb,
    )

    before = resident_mb()
    try:
        engine = engine_start(name, config, threads)
    except (ValueError, ImportError) as error:
        pipe.send(str(error))
        return
    pipe.send({"version": engine.version, "weights_mb": engine.weights_mb, "memory_mb": 0.0})
    while (asked := pipe.recv()) is not None:
        what, steps = asked
        pipe.send(engine.prefill() if what == "prefill" else engine.decode(what, steps))
    pipe.send(resident_mb() - before - getattr(engine, "cache_mb", 0.0))


def _table(
    found: dict[str, Measured], config: dict[str, Any], threads: int, notes: list[str]
) -> str:
    ours = found[ENGINES[0]]
    head = ["engine", "prefill 256", *[f"decode x{n}" for n in CONCURRENT], "memory / weights MB"]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for name, measured in found.items():
        rates = [f"{measured.rate(what):.1f}" for what in ("prefill", *CONCURRENT)]
        memory = f"{measured.memory_mb:.0f} / {measured.weights_mb:.0f}"
        lines.append(f"| {name} | {' | '.join(rates)} | {memory} |")
    for name, measured in found.items():
        if measured is not ours:
            ratios = [
                f"{ours.rate(what) / measured.rate(what):.2f}x" for what in ("prefill", *CONCURRENT)
            ]
            lines.append(f"| furrow over {name} | {' | '.join(ratios)} | |")
    versions = "; ".join(f"{name}: {one.version}" for name, one in found.items())
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return "\n".join(
        [
            f"Granite-3.1-1b-a400m shape, {config['num_hidden_layers']} layers, random weights, "
            f"tokens per second, {threads} threads, best round.",
            "",
            *lines,
            "",
            f"{_processor()}, Python {platform.python_version()}, {today}. {versions}. "
            "Memory is what loading and running added; for furrow, without the cache.",
            *notes,
            "",
        ]
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    best = "AVX-512 VNNI" if "avx512_vnni" in flags else "AVX2"
    return f"{len(names)} x {names[0] if names else platform.machine()} ({best})"
