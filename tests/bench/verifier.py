"""Measures the verifier of composed answers: `python tests/bench/verifier.py [--half NAME] [--list]`.

`dev` and `held` are 200 answers built by a seed from the demo's documents and the CMRC trial passages, with planted falsehoods
of fourteen kinds beside honest sentences, verbatim and reworded by hand. All other sets are trades written by hand, one file each
in tests/bench/verifying and tests/bench/verifier_sets. The decision was trained on all of them but those called `blind`, which are
measured once and not read before that, and `spent`, which were blind and have been looked at since; on trades it has not seen `tests/bench/verifier_training.py` tells how it does.
`--list` names what went wrong. The data folder is FURROW_DATA_DIR, or `../shared/data` beside the checkout.
"""

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
DATA = Path(os.environ.get("FURROW_DATA_DIR", ROOT.parent / "shared" / "data"))
LEAST_STOPPED, MOST_LOST = 0.98, 0.05
HALVES = ("dev", "held")


def measure(
    half: str, *, shows: bool, seed: int | None = None, count: int = 100
) -> dict[str, float]:
    from furrow.assistants.verifier.answer import Checker, Passage  # noqa: PLC0415
    from furrow.assistants.verifier.stream import SentenceStream, draft_of  # noqa: PLC0415
    from tests.bench.verifier_cases import answers  # noqa: PLC0415
    from tests.bench.verifier_sources import written_by_hand  # noqa: PLC0415

    chosen = (
        answers(half, DATA, seed=seed, count=count) if half in HALVES else written_by_hand(half)
    )
    seen: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    times_ms: list[float] = []
    for answer in chosen:
        checker = Checker(
            [Passage(n, source.text, source.heading) for n, source in enumerate(answer.passages, 1)]
        )
        stream = SentenceStream()
        drafts = [draft for piece in _pieces(answer.raw()) for draft in stream.feed(piece)]
        drafts += stream.rest()
        started = time.perf_counter()
        left = [checked for draft in drafts if (checked := checker.check(draft)).is_kept]
        times_ms.append(1000 * (time.perf_counter() - started) / max(1, len(drafts)))
        out = " ".join(checked.text for checked in left)
        for said in answer.sentences:
            seen[said.kind] += 1
            is_out = draft_of(said.text).text in out
            stopped[said.kind] += not is_out
            if shows and is_out != said.is_true:
                _show(said, checker, answer)
    return _report(half, seen, stopped, times_ms)


def _pieces(text: str) -> list[str]:
    return [text[at : at + 7] for at in range(0, len(text), 7)]


def _show(said: "object", checker: "object", answer: "object") -> None:
    from furrow.assistants.verifier.stream import draft_of  # noqa: PLC0415

    checked = checker.check(draft_of(f"{said.text} [{answer.passages.index(said.source) + 1}]"))  # type: ignore[attr-defined]
    say(
        f"\n{said.kind}: {said.text}\n   {checked.reason} {checked.detail} share={checked.share:.2f}"
    )  # type: ignore[attr-defined]
    say(f"   {said.source.name}: {said.source.text[:700]!r}")  # type: ignore[attr-defined]


def _report(
    half: str, seen: Counter[str], stopped: Counter[str], times_ms: list[float]
) -> dict[str, float]:
    true = ("verbatim", "paraphrase")
    planted = sum(count for kind, count in seen.items() if kind not in true)
    caught = sum(count for kind, count in stopped.items() if kind not in true)
    honest, lost = sum(seen[kind] for kind in true), sum(stopped[kind] for kind in true)
    say(f"\n{half}\n\n| sentences | in the answers | kept back |\n|---|--:|--:|")
    for kind in sorted(seen, key=lambda kind: (kind in true, kind)):
        say(f"| {kind} | {seen[kind]} | {stopped[kind]} |")
    figures = {
        "stopped": caught / planted,
        "lost": lost / honest,
        "copies_lost": stopped["verbatim"] / max(1, seen["verbatim"]),
    }
    say(
        f"| all planted | {planted} | {caught} ({figures['stopped']:.1%}; bar {LEAST_STOPPED:.0%}) |"
    )
    say(f"| all supported | {honest} | {lost} ({figures['lost']:.1%}; bar {MOST_LOST:.0%}) |")
    middle = sorted(times_ms)
    say(
        f"\na sentence takes {middle[len(middle) // 2]:.0f} ms, the slowest answer's {middle[-1]:.0f} ms"
    )
    return figures


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", help="dev, held, or the name of a set written by hand")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--seed", type=int, help="other answers of the developing half")
    parser.add_argument("--count", type=int, default=100, help="how many, of the developing half")
    chosen = parser.parse_args()
    if chosen.list and (chosen.half or "").startswith("blind"):
        parser.error("the blind set is only counted: who sees its sentences writes rules for them")
    import django  # noqa: PLC0415

    django.setup()
    for half in [chosen.half] if chosen.half else (*HALVES, "learning"):
        is_dev = half == "dev"
        measure(
            half,
            shows=chosen.list,
            seed=chosen.seed if is_dev else None,
            count=chosen.count if is_dev else 100,
        )


if __name__ == "__main__":
    main()
