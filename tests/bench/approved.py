"""Measures how well approved answers are found: `python tests/bench/approved.py [--list]`.

`approved_answers.tsv` holds approved answers as owners write them, one wording each, in Chinese and English, some of
them alike; `approved_questions.tsv` five visitors' wordings for each, and questions that look like one of them and
ask something else (`-`). The matching was written with these in view; the `fresh` set of another trade was written
after it, and `clinic` of a third after both. `sixty` is the first set with `approved_more`, twenty-four further answers of a shop
whose wordings were written before anybody looked at what the matching does with them. Each question is matched as the rung does it, without a model server.
`learn` holds sixty answers of many trades, written for comparing rules; nothing was taken from the other sets for it.
`several` keeps all wordings of an answer but the one that is asked, each in turn. Prints the share whose answer comes
word for word (`sure`), also where it comes under its own question (`given`), and where it is the first that is offered
to choose (hit@1); the share whose answer is given or among the three offered (hit@3); and of the look-alikes how many
get an answer that is not theirs, without and with its own question above it. `--list` names what went wrong.
"""

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SETS = ("approved", "approved_fresh", "approved_clinic", "approved_learn", "approved_sixty")
# Sets that are put together of others' files.
FILES = {"approved_sixty": ("approved", "approved_more")}
SPACE = UUID(int=0)
NONE = "-"


@dataclass(frozen=True)
class Asked:
    """`given` is the answer that came (empty: none), `is_sure` without its question above it; `offered` the answers
    whose questions are offered, the nearest first.
    """

    answer: str
    language: str
    text: str
    given: str
    is_sure: bool
    offered: tuple[str, ...]

    @property
    def is_trap(self) -> bool:
        return self.answer == NONE

    @property
    def is_wrong(self) -> bool:
        return bool(self.given) and self.given != self.answer

    @property
    def seen(self) -> tuple[str, ...]:
        """What the visitor sees, from the first."""
        return (self.given, *self.offered) if self.given else self.offered


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def measure(name: str, *, several: bool = False) -> list[Asked]:
    """With `several` a question that belongs to an answer is asked while the answer's others are stored."""
    from furrow.assistants.ladder import LadderContext  # noqa: PLC0415
    from furrow.assistants.rungs.approved import (  # noqa: PLC0415
        Candidate,
        close_ones,
        decided,
        ranked,
    )

    files = FILES.get(name, (name,))
    approved = [row for file in files for row in rows_of(HERE / f"{file}_answers.tsv")]
    names = {uuid5(SPACE, row["id"]): row["id"] for row in approved}
    questions = [row for file in files for row in rows_of(HERE / f"{file}_questions.tsv")]
    others: dict[str, list[str]] = {}
    for row in questions:
        others.setdefault(row["answer"], []).append(row["question"])

    def candidate(row: dict[str, str], asked: str) -> Candidate:
        kept = [text for text in others.get(row["id"], []) if several and text != asked]
        return Candidate(uuid5(SPACE, row["id"]), row["answer"], (row["question"], *kept))

    by_question = {row["question"]: row["id"] for row in approved}
    asked = []
    for row in questions:
        matches = ranked(row["question"], [candidate(each, row["question"]) for each in approved])
        choice = decided(matches)
        ctx = LadderContext(str, str)
        if not choice.is_sure:
            ctx.near = close_ones(matches, but=choice.match)
        asked.append(
            Asked(
                row["answer"],
                row["language"],
                row["question"],
                given=names[choice.match.candidate.answer_id] if choice.match else "",
                is_sure=choice.is_sure,
                offered=tuple(by_question[text] for text in ctx.suggestions()),
            )
        )
    return asked


def line(name: str, rows: list[Asked]) -> str:
    real = [row for row in rows if not row.is_trap]
    traps = [row for row in rows if row.is_trap]

    def share(of: Callable[[Asked], bool]) -> str:
        return f"{sum(map(of, real)) / max(len(real), 1):.3f}"

    sure = share(lambda row: row.is_sure and not row.is_wrong)
    given = share(lambda row: row.given == row.answer)
    first = share(lambda row: row.answer in row.seen[:1])
    third = share(lambda row: row.answer in row.seen[:3])
    wrong = [sum(row.is_wrong and row.is_sure is kind for row in traps) for kind in (True, False)]
    mixed = sum(row.is_wrong for row in real)
    return (
        f"| {name} | {len(real)} | {sure} | {given} | {first} | {third} | {mixed} | "
        f"{wrong[0]} and {wrong[1]} of {len(traps)} |"
    )


def _is_unseen(row: Asked) -> bool:
    """The answers of `approved_more` are numbered on."""
    return not row.is_trap and int(row.answer[1:]) > 18


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    import os  # noqa: PLC0415

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415

    django.setup()
    say(
        "| set | questions | sure | given | hit@1 | hit@3 | another's answer | look-alikes answered |"
    )
    say("|---|---|---|---|---|---|---|---|")
    everything = []
    for name in SETS:
        rows = measure(name)
        everything += rows
        say(line(name, rows))
        say(line(f"{name} several", measure(name, several=True)))
        for language in ("zh", "en"):
            say(line(f"{name} {language}", [row for row in rows if row.language == language]))
        if name == "approved_sixty":
            say(line("of them the 24 unseen", [row for row in rows if _is_unseen(row)]))
    if "--list" in sys.argv:
        for row in everything:
            if row.is_wrong or not row.is_trap and row.answer not in row.seen[:1]:
                kind = ("WRONG" if row.is_sure else "framed") if row.is_wrong else "missed"
                say(f"{kind} {row.answer} {row.text} -> {row.given or NONE} {row.offered}")


if __name__ == "__main__":
    main()
