"""Settings, env.example and the operator guide name the same variables."""

import ast
import re
from pathlib import Path

import pytest

READERS = re.compile(r"env_(str|bool|int|list|choice|secret|str_or_file)\Z")
# The interpreter's own, not ours.
FOREIGN = {"PYTHONPATH", "DJANGO_SETTINGS_MODULE", "OMP_WAIT_POLICY"}


def _text_of(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _names_read(path: Path) -> set[str]:
    """Literal names given to env_* and to os.environ.get / [] / setdefault."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if READERS.search(called) or called.startswith("os.environ."):
                names.add(_text_of(node.args[0]))
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            names.add(_text_of(node.slice))
    return names - {""}


@pytest.fixture(scope="module")
def read_by_code(root: Path) -> set[str]:
    paths = [
        path
        for path in [*(root / "platform").rglob("*.py"), *(root / "apps").rglob("*.py")]
        if path.name != "test_settings.py"
    ]
    return set().union(*map(_names_read, paths)) - FOREIGN


def _example(root: Path) -> str:
    return (root / "deploy" / "env.example").read_text(encoding="utf-8")


@pytest.mark.slow
def test_example_lists_exactly_what_the_code_reads(root: Path, read_by_code: set[str]) -> None:
    listed = re.findall(r"^#?([A-Z][A-Z_]+)=", _example(root), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == read_by_code


def test_every_variable_has_a_line_that_explains_it(root: Path) -> None:
    lines = _example(root).splitlines()
    for before, line in zip(lines, lines[1:], strict=False):
        if re.match(r"#?[A-Z][A-Z_]+=", line):
            assert re.match(r"# [A-Z0-9].{12,}\.$", before), line


def test_defaults_of_the_example_are_those_of_the_code(root: Path) -> None:
    """What is commented out shows the default; numbers and words are compared where the code has a literal."""
    shown = dict(re.findall(r"^#([A-Z][A-Z_]+)=(\S+)$", _example(root), re.MULTILINE))
    source = ast.parse((root / "platform" / "config" / "settings.py").read_text(encoding="utf-8"))
    compared = 0
    for node in ast.walk(source):
        if not (isinstance(node, ast.Call) and READERS.search(ast.unparse(node.func))):
            continue
        name, default = _text_of(node.args[0]), node.args[-1]
        if name in shown and len(node.args) > 1 and isinstance(default, ast.Constant):
            compared += 1
            assert shown[name].lower() == str(default.value).lower(), name
    assert compared >= 10


def test_operator_guide_names_every_variable(root: Path, read_by_code: set[str]) -> None:
    guide = (root / "docs" / "operator-guide.md").read_text(encoding="utf-8")
    table = guide[guide.index("## Settings") :]
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", table)) == read_by_code
