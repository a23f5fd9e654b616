"""What the widget weighs, and what its source must never hold."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "platform/furrow/channels/static/widget"
LOADER = STATIC / "v1.js"
APP = [STATIC / "app.js", *sorted((STATIC / "app").glob("*.js"))]


def weight(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 6, mtime=0))


def test_loader_stays_under_its_weight():
    assert weight(LOADER) < 5_000


def test_app_stays_under_its_weight():
    # 45 kB is the promise; the tighter bar catches growth early.
    assert sum(weight(path) for path in APP) < 41_000


def test_every_part_is_loaded_and_every_loaded_part_exists():
    named = re.search(r"const PARTS = \[([^\]]+)\]", APP[0].read_text())
    assert named
    assert sorted(re.findall(r'"(\w+)"', named[1])) == [path.stem for path in APP[1:]]


def test_version_names_the_state_of_the_app():
    digest = hashlib.sha256()
    for path in APP:
        digest.update(path.read_bytes())
    expected = digest.hexdigest()[:10]
    assert f'const VERSION = "{expected}";' in LOADER.read_text(), (
        f"write VERSION = {expected!r} into v1.js"
    )


@pytest.mark.parametrize("path", [LOADER, *APP], ids=lambda path: path.name)
def test_source_holds_nothing_that_turns_text_into_code(path):
    source = path.read_text()
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|\.cssText|DOMParser"
    assert not re.findall(banned, source)
    assert not re.search(r"https?://(?!www\.w3\.org)\w", source), "no third-party address"


def test_both_languages_say_the_same_things():
    source = (STATIC / "app/strings.js").read_text()
    english, chinese = re.findall(r"const (?:EN|ZH) = \{(.*?)\n\};", source, re.S)
    words = [dict(re.findall(r'^  (\w+): "(.*)",$', part, re.M)) for part in (english, chinese)]
    assert len(words[0]) > 50
    assert words[0].keys() == words[1].keys()
    for key in words[0]:
        assert re.findall(r"\{\w+\}", words[0][key]) == re.findall(r"\{\w+\}", words[1][key])
