"""200 streams at a time of 20 words a second through /v1 on two workers: `python tests/bench/streams.py [--seconds 30]`.

Calls start at a fixed rate, so that as many run at once; the figures are those of the whole path with key, hold and
settlement, on PostgreSQL at full durability. A stream with a missing word, count or end is a drop.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

WORDS, STEP_MS = 100, 50
os.environ.update(MOCK_TOKENS=str(WORDS), MOCK_STEP_MS=str(STEP_MS), MOCK_PREFILL_MS="20")

import litellm_compare as bench  # noqa: E402  the mock's speed comes first
import psutil  # noqa: E402
from bench_books import books_check, books_prepare  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--streams", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        length_s = WORDS * STEP_MS / 1000
        options.rate, options.clients = options.streams / length_s, options.streams
        setup = bench._setup(Path(name), options, stack)
        bench._say(bench.conditions(setup))
        books = books_prepare(setup.superuser)
        before = bench.engine_calls(setup)
        # A server that is told to stop first settles what it has served.
        with bench.serving(setup, books, workers=2) as (server, port):
            resting = _rss(server.pid)
            _report(_load(setup, port, books.key), options.streams, resting, server.pid)
        bench._say(books_check(books, bench.engine_calls(setup) - before))


def _load(setup: bench.Setup, port: int, key: str) -> tuple[dict[str, list[float]], int]:
    plan = {
        "path": "/v1/chat/completions",
        "port": port,
        "key": key,
        "body": {
            "model": "mock-chat",
            "messages": bench.MESSAGES,
            "stream": True,
            "stream_options": {"include_usage": True},
        },
        "words": WORDS,
        "seconds": setup.seconds,
        "rate": setup.rate,
        "gaps": True,
    }
    file = setup.folder / "streams.json"
    file.write_text(json.dumps(plan))
    generator = [sys.executable, str(HERE / "load_generator.py"), str(file)]
    output = subprocess.run(generator, stdout=subprocess.PIPE, check=True, timeout=300).stdout
    told = json.loads(output)
    return {name: sorted(told[name]) for name in ("firsts", "gaps")}, told["bad"]


def _report(
    told: tuple[dict[str, list[float]], int], streams: int, resting: float, pid: int
) -> None:
    figures, drops = told
    firsts, gaps = figures["firsts"], figures["gaps"]
    grown = (_rss(pid) - resting) / streams
    bench._say(
        f"{len(firsts)} streams, {streams} at a time: {drops} drops; first event p50"
        f" {1000 * _at(firsts, 0.5):.0f} ms, p95 {1000 * _at(firsts, 0.95):.0f} ms (bar 500);"
        f" between words p50 {1000 * _at(gaps, 0.5):.0f} ms, p99 {1000 * _at(gaps, 0.99):.0f} ms"
        f" (bar 250); memory {grown:.2f} MB a stream (bar 1)"
    )


def _at(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)]


def _rss(pid: int) -> float:
    root = psutil.Process(pid)
    return sum(p.memory_info().rss for p in [root, *root.children(recursive=True)]) / 2**20


if __name__ == "__main__":
    main()
