"""Measures how well approved answers are found: `python tests/bench/approved.py [--list]`.

`approved_answers.tsv` holds approved answers as owners write them, one wording each, in Chinese and English, some of
them alike; `approved_questions.tsv` five visitors' wordings for each, and questions that look like one of them and
ask something else (`-`). Each is matched as the rung does it, without a model server. Prints the share whose answer
comes (hit@1), stands among the three nearest (hit@3), and of all questions the share that gets a wrong answer.
Half 0 was looked at while the matching was written, half 1 was not; a question's half is drawn from its text.
"""

import csv
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ANSWERS, QUESTIONS = HERE / "approved_answers.tsv", HERE / "approved_questions.tsv"
SPACE = UUID(int=0)
NONE = "-"


@dataclass(frozen=True)
class Asked:
    """`given` is the answer that came (empty: none), `near` the three nearest, best first."""

    answer: str
    language: str
    text: str
    given: str
    near: tuple[str, ...]

    @property
    def half(self) -> int:
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 2

    @property
    def is_trap(self) -> bool:
        return self.answer == NONE

    @property
    def is_wrong(self) -> bool:
        return bool(self.given) and self.given != self.answer


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def measure() -> list[Asked]:
    from furrow.assistants.rungs.approved import Candidate, decided, ranked  # noqa: PLC0415
    from furrow.assistants.similarity import profile  # noqa: PLC0415

    names = {uuid5(SPACE, row["id"]): row["id"] for row in rows_of(ANSWERS)}
    candidates = [
        Candidate(uuid5(SPACE, row["id"]), row["answer"], (row["question"],))
        for row in rows_of(ANSWERS)
    ]
    asked = []
    for row in rows_of(QUESTIONS):
        matches = ranked(profile(row["question"]), candidates)
        best, _ = decided(matches)
        asked.append(
            Asked(
                row["answer"],
                row["language"],
                row["question"],
                given=names[best.candidate.answer_id] if best else "",
                near=tuple(names[m.candidate.answer_id] for m in matches[:3] if m.score > 0),
            )
        )
    return asked


def line(name: str, rows: list[Asked]) -> str:
    real = [row for row in rows if not row.is_trap]
    traps = [row for row in rows if row.is_trap]
    first = sum(row.given == row.answer for row in real) / max(len(real), 1)
    third = sum(row.answer in row.near for row in real) / max(len(real), 1)
    wrong = sum(row.is_wrong for row in rows)
    trapped = sum(row.is_wrong for row in traps)
    return (
        f"| {name} | {len(real)} | {first:.3f} | {third:.3f} | {wrong} of {len(rows)} "
        f"({wrong / max(len(rows), 1):.3f}) | {trapped} of {len(traps)} |"
    )


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    import os  # noqa: PLC0415

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415

    django.setup()
    rows = measure()
    say("| part | questions | hit@1 | hit@3 | wrong answers | traps that got one |")
    say("|---|---|---|---|---|---|")
    say(line("all", rows))
    for language in ("zh", "en"):
        say(line(language, [row for row in rows if row.language == language]))
    for half in (0, 1):
        say(line(f"half {half}", [row for row in rows if row.half == half]))
    if "--list" in sys.argv:
        for row in rows:
            if row.is_wrong or not row.is_trap and row.given != row.answer:
                kind = "WRONG" if row.is_wrong else "missed"
                say(f"{kind} {row.answer} {row.text} -> {row.given or NONE} {row.near}")


if __name__ == "__main__":
    main()
