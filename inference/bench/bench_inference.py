"""`python -m inference bench`: the decoder beside transformers and llama.cpp, in one run.

The engines take turns, round by round, so that a disturbance meets all of them; the best round
counts. Each does a model step and a greedy choice, without HTTP or a queue around it. On a
processor with AVX-512 everything is measured twice, the second time held to AVX2, as far as each
library lets itself be held; llama.cpp is built for both by `inference/bench/build_peers.sh`.
"""

import datetime
import multiprocessing
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from inference.bench.shapes import GRANITE_1B_A400M

OURS = "furrow int8"
ENGINES = (OURS, "transformers fp32", "llama.cpp Q8_0")
CONCURRENT = (1, 4, 16)
WHATS: tuple[str | int, ...] = ("prefill", *CONCURRENT)
# The slow one gets fewer steps; its rate is steady enough.
STEPS = {"transformers fp32": 4}
HELD_TO_AVX2 = {
    "FURROW_CPU_ISA": "avx2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
# (peer, what, at least so many times as fast)
BARS: tuple[tuple[str, str | int, float], ...] = (
    ("transformers fp32", 1, 5.0),
    ("llama.cpp Q8_0", 1, 1.0),
    ("llama.cpp Q8_0", 16, 2.0),
    ("llama.cpp Q8_0", "prefill", 1.6),
)
MEMORY_BAR = 1.2


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


def bench_inference(
    *, threads: int | None, rounds: int, layers: int | None = None, isas: tuple[str, ...] = ()
) -> str:
    """Measure and answer a Markdown table. No `isas` means this processor's, and AVX2 beside more."""
    config = GRANITE_1B_A400M | ({} if layers is None else {"num_hidden_layers": layers})
    count = threads or os.cpu_count() or 1
    notes: list[str] = []
    # One after the other: all engines twice would not fit into a small machine's memory.
    isas = isas or (("native", "avx2") if "avx512_vnni" in _cpu_line("flags") else ("native",))
    found = {isa: _measure(isa, config, count, rounds, notes) for isa in isas}
    return _table(found, config, count, notes)


def _measure(
    isa: str, config: dict[str, Any], threads: int, rounds: int, notes: list[str]
) -> dict[str, Measured]:
    # Spawned: a forked process would share the parent's idle threads and fare worse.
    context = multiprocessing.get_context("spawn")
    workers = {}
    for name in ENGINES:
        near, far = context.Pipe()
        process = context.Process(target=_serve, args=(far, name, config, threads), daemon=True)
        with _held_to(isa):
            process.start()
        # Ours would keep the pipe open, and a worker that died would never be noticed.
        far.close()
        started = near.recv()
        if isinstance(started, str):
            notes.append(f"{name}, {isa}: {started}.")
            continue
        workers[name] = (near, process, Measured(**started))
    for _ in range(rounds):
        for what in WHATS:
            for name, (pipe, _, measured) in workers.items():
                pipe.send((what, STEPS.get(name, 16)))
                measured.best[what] = min(pipe.recv(), measured.best.get(what, float("inf")))
    for pipe, process, measured in workers.values():
        pipe.send(None)
        measured.memory_mb = max(measured.memory_mb, pipe.recv())
        process.join()
    return {name: measured for name, (_, _, measured) in workers.items()}


@contextmanager
def _held_to(isa: str) -> Iterator[None]:
    """The environment of a worker started meanwhile: libraries read these once, when loaded."""
    before = {name: os.environ.pop(name, None) for name in HELD_TO_AVX2}
    if isa == "avx2":
        os.environ.update(HELD_TO_AVX2)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


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
    found: dict[str, dict[str, Measured]], config: dict[str, Any], threads: int, notes: list[str]
) -> str:
    head = ["engine", "prefill 256", *[f"decode x{n}" for n in CONCURRENT], "memory / weights MB"]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    bars: list[str] = []
    for isa, engines in found.items():
        for name, measured in engines.items():
            rates = [f"{measured.rate(what):.1f}" for what in WHATS]
            memory = f"{measured.memory_mb:.0f} / {measured.weights_mb:.0f}"
            lines.append(f"| {name}, {isa} | {' | '.join(rates)} | {memory} |")
        ours = engines[OURS]
        for name, measured in engines.items():
            if measured is not ours:
                ratios = [f"{ours.rate(what) / measured.rate(what):.2f}x" for what in WHATS]
                lines.append(f"| furrow over {name}, {isa} | {' | '.join(ratios)} | |")
        bars += _bars(isa, engines)
    names = {f"{name}: {one.version}" for each in found.values() for name, one in each.items()}
    today = datetime.datetime.now(tz=datetime.UTC).date()
    load = os.getloadavg()[2]
    return "\n".join(
        [
            f"Granite-3.1-1b-a400m shape, {config['num_hidden_layers']} layers, random weights, "
            f"tokens per second, {threads} threads, best round.",
            "",
            *lines,
            "",
            *bars,
            "",
            f"{_processor()}, Python {platform.python_version()}, {today}, load over 15 minutes "
            f"{load:.1f}. {'; '.join(sorted(names))}. "
            "Memory is what loading and running added; for furrow, without the cache.",
            *notes,
            "",
        ]
    )


def _bars(isa: str, engines: dict[str, Measured]) -> list[str]:
    """A line for each bar that could be measured."""
    ours = engines[OURS]
    lines = []
    for peer, what, least in BARS:
        if peer in engines:
            times = ours.rate(what) / engines[peer].rate(what)
            label = what if what == "prefill" else f"decode x{what}"
            mark = "met" if times >= least else "MISSED"
            lines.append(f"- {isa}, {label} over {peer}: {times:.2f}, bar {least}: {mark}")
    share = ours.memory_mb / ours.weights_mb
    mark = "met" if share <= MEMORY_BAR else "MISSED"
    return [*lines, f"- {isa}, memory over weights: {share:.2f}, bar {MEMORY_BAR}: {mark}"]


def _processor() -> str:
    name = _cpu_line("model name") or platform.machine()
    best = "AVX-512 VNNI" if "avx512_vnni" in _cpu_line("flags") else "AVX2"
    return f"{os.cpu_count()} x {name} ({best})"


def _cpu_line(name: str) -> str:
    """What the system says of the first core, empty where it says nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "")
