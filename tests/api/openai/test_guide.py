"""The Python example of docs/api.md runs as it stands."""

import contextlib
import re
from pathlib import Path
from typing import Any

from tests.api.openai.conftest import Live
from tests.api.openai.test_assistants import helper

__all__ = ["helper"]
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "api.md"


def test_the_example_answers(live: Live, helper: Any, capsys: Any) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    code = code.replace("http://127.0.0.1:8000", live.url).replace("fr_key_...", live.secret)
    code = code.replace("When are you open?", "Which orders ship free?")
    names: dict[str, Any] = {}
    exec(compile(code, "docs/api.md", "exec"), names)  # noqa: S102  our own documentation
    with contextlib.closing(names["client"]):
        said = capsys.readouterr().out
    assert said.count("Orders over 99 yuan ship free") >= 2
    assert "'rung': 'quoted'" in said
