"""Every command beside a figure can be run: its scripts, modules, targets and test files are there."""

import re
import shlex
from pathlib import Path

import pytest

COMMAND = re.compile(r"`((?:make|python|pytest|sh) [^`\n]+)`")
# The parts of a row that say no command: what was measured by hand says so.
NO_COMMAND = ("the same", "both commands", "by hand", "not kept", ".ci/run")


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs" / "measurements.md").read_text(encoding="utf-8")


def _missing(command: str, root: Path, targets: set[str]) -> list[str]:
    words = shlex.split(command)
    if words[0] == "make":
        return [word for word in words[1:] if "=" not in word and word not in targets]
    module = words[words.index("-m") + 1] if words[:2] == ["python", "-m"] else ""
    places = [word.split("::")[0] for word in words[1:] if "/" in word]
    if module and module != "pytest":
        places.append(module.replace(".", "/"))
    return [
        place
        for place in places
        if not (root / place).exists() and not (root / f"{place}.py").exists()
    ]


def test_every_command_names_what_is_there(root: Path, text: str) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    commands = set(COMMAND.findall(text))
    assert len(commands) > 40
    found = {command: _missing(command, root, targets) for command in sorted(commands)}
    assert {command: missing for command, missing in found.items() if missing} == {}


def test_every_figure_names_its_command_or_says_that_there_is_none(text: str) -> None:
    rows = [row for row in text.splitlines() if re.search(r"\| 20\d\d-\d\d-\d\d \|", row)]
    assert len(rows) > 80
    bare = [
        row
        for row in rows
        if not COMMAND.search(last := row.rstrip(" |").rsplit("|", 1)[-1])
        and not any(words in last for words in NO_COMMAND)
    ]
    assert bare == []
