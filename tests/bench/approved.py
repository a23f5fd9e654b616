"""Measures how well approved answers are found: `python tests/bench/approved.py [--list]`.

`approved_answers.tsv` holds approved answers as owners write them, one wording each, in Chinese and English, some of
them alike; `approved_questions.tsv` five visitors' wordings for each, and questions that look like one of them and
ask something else (`-`). The matching was written with these in view; the `fresh` set of another trade was written
after it, and `clinic` of a third after both. Each question is matched as the rung does it, without a model server.
`several` keeps all wordings of an answer but the one that is asked, each in turn. Prints the share whose answer comes
(hit@1), stands among the three nearest (hit@3), and of all questions the share that gets a wrong answer; `--list`
names what went wrong.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SETS = ("approved", "approved_fresh", "approved_clinic")
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
    def is_trap(self) -> bool:
        return self.answer == NONE

    @property
    def is_wrong(self) -> bool:
        return bool(self.given) and self.given != self.answer


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def measure(name: str, *, several: bool = False) -> list[Asked]:
    """With `several` a question that belongs to an answer is asked while the answer's others are stored."""
    from furrow.assistants.rungs.approved import Candidate, decided, ranked  # noqa: PLC0415

    approved = rows_of(HERE / f"{name}_answers.tsv")
    names = {uuid5(SPACE, row["id"]): row["id"] for row in approved}
    questions = rows_of(HERE / f"{name}_questions.tsv")
    others: dict[str, list[str]] = {}
    for row in questions:
        others.setdefault(row["answer"], []).append(row["question"])

    def candidate(row: dict[str, str], asked: str) -> Candidate:
        kept = [text for text in others.get(row["id"], []) if several and text != asked]
        return Candidate(uuid5(SPACE, row["id"]), row["answer"], (row["question"], *kept))

    asked = []
    for row in questions:
        matches = ranked(row["question"], [candidate(each, row["question"]) for each in approved])
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
    say("| set | questions | hit@1 | hit@3 | wrong answers | traps that got one |")
    say("|---|---|---|---|---|---|")
    everything = []
    for name in SETS:
        rows = measure(name)
        everything += rows
        say(line(name, rows))
        say(line(f"{name} several", measure(name, several=True)))
        for language in ("zh", "en"):
            say(line(f"{name} {language}", [row for row in rows if row.language == language]))
    if "--list" in sys.argv:
        for row in everything:
            if row.is_wrong or not row.is_trap and row.given != row.answer:
                kind = "WRONG" if row.is_wrong else "missed"
                say(f"{kind} {row.answer} {row.text} -> {row.given or NONE} {row.near}")


if __name__ == "__main__":
    main()
