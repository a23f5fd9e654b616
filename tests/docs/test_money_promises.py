"""Every promise about money has a test of its name, and every such test its promise."""

import ast
import re
from pathlib import Path

import pytest

PROMISES = [f"I{n}" for n in range(1, 19)] + [f"F{n}" for n in range(1, 25)]
_NUMBERED = re.compile(r"test_((?:[if]\d+_)+)")


@pytest.fixture(scope="module")
def promised(root: Path) -> dict[str, list[str]]:
    """The tests that docs/money.md names for each promise."""
    text = (root / "docs" / "money.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([IF]\d+) \|(.*)$", text, re.MULTILINE)
    return {name: re.findall(r"`(tests/\S+)`", row) for name, row in rows}


def _tests(path: Path, root: Path) -> set[str]:
    """As pytest names them, without parameters."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {
            f"{path.relative_to(root)}::{prefix}{function.name}"
            for function in inside
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
        }
    return found


def test_every_invariant_and_every_failure_has_a_row_with_tests(
    promised: dict[str, list[str]],
) -> None:
    assert list(promised) == PROMISES
    assert [name for name, tests in promised.items() if not tests] == []


def test_every_named_test_exists(root: Path) -> None:
    """Those of the parts too; a file may stand for all that is in it."""
    text = (root / "docs" / "money.md").read_text(encoding="utf-8")
    named = {test for test in re.findall(r"`(tests/\S+)`", text) if "::" in test}
    assert len(named) > 80
    exists = {
        test
        for path in {name.split("::")[0] for name in named}
        for test in _tests(root / path, root)
    }
    assert sorted(named - exists) == []


def test_every_numbered_test_is_a_row_of_its_number(
    root: Path, promised: dict[str, list[str]]
) -> None:
    """Those after kill -9 are named together, by their file."""
    folders = ("metering", "gateway", "api")
    files = [path for folder in folders for path in (root / "tests" / folder).rglob("test_*.py")]
    missing = [
        f"{number}: {test}"
        for path in files
        for test in _tests(path, root)
        if (match := _NUMBERED.search(test.rsplit("::", 1)[1]))
        for number in re.findall(r"[if]\d+", match.group(1))
        if test not in promised.get(number.upper(), [])
    ]
    assert missing == []
