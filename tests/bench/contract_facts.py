"""Measures name, days and law of CUAD's contracts, read by rules: `python tests/bench/contract_facts.py [--each]`.

On the fixed development split of `contract_cuad.py`. Right is: the same words but for case, spaces and signs; the same
day; the same place. A day that the annotators left blank counts when we leave it empty. `--each` names what was wrong,
`--training` measures the other contracts.
"""

import hashlib
import json
import lzma
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.test_settings")

import django  # noqa: E402

django.setup()

from apps.contracts.reading.headlines import Headlines, headlines_read  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "cuad_rest" / "cuad_rest.jsonl.xz"
KINDS = ("Document Name", "Effective Date", "Expiration Date", "Governing Law")


def is_development(name: str) -> bool:
    """The split of `contract_cuad.py`."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 7 == 0


def right(kind: str, labels: dict[str, dict[str, object]], found: Headlines) -> bool | None:
    """None where the annotators give no answer that can be compared."""
    answer = str(labels[kind]["answer"])
    if kind == "Document Name":
        return bare(found.name) in {bare(part) for part in [answer, *spans(labels[kind])] if part}
    if kind == "Governing Law":
        place, wanted = bare(found.law), bare(answer)
        return (
            place == wanted or bool(place) and bool(wanted) and (place in wanted or wanted in place)
        )
    if answer and not re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", answer):
        return None
    day = found.effective_on if kind == "Effective Date" else found.ends_on
    return (f"{day.month}/{day.day}/{day.year}" if day else "") == answer


def spans(label: dict[str, object]) -> list[str]:
    return [str(span["text"]) for span in label["spans"]]  # type: ignore[index, attr-defined]


def bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def main() -> None:
    counts = {kind: [0, 0] for kind in KINDS}
    with lzma.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        if is_development(row["file"]) == ("--training" in sys.argv):
            continue
        found = headlines_read(row["text"])
        for kind in KINDS:
            verdict = right(kind, row["labels"], found)
            if verdict is not None:
                counts[kind][0] += verdict
                counts[kind][1] += 1
            if verdict is False and "--each" in sys.argv:
                say(
                    f"{kind}: {row['labels'][kind]['answer']!r} not {found} {spans(row['labels'][kind])[:1]}"
                )
    for kind, (good, total) in counts.items():
        say(f"{kind}: {good}/{total} = {good / max(total, 1):.3f}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
