"""Rules that hold for every template and script, also those no test renders."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
INLINE = re.compile(r"\sstyle\s*=|\son(click|change|submit|input|load)\s*=|<style", re.IGNORECASE)
ICON = re.compile(r"""{% icon "([\w-]+)" %}|icon="([\w-]+)\"""")


def test_no_template_has_anything_inline():
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        assert not INLINE.search(text), path
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script, path


def test_every_form_that_posts_is_protected():
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
            assert "csrf_token" in form, (path, form[:120])


def test_every_icon_is_drawn():
    drawn = set(re.findall(r'id="([\w-]+)"', (ROOT / "static/img/icons.svg").read_text()))
    used = {
        name
        for path in TEMPLATES
        for pair in ICON.findall(path.read_text(encoding="utf-8"))
        for name in pair
        if name
    }
    assert used <= drawn


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_is_small_and_never_writes_markup(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert "innerHTML" not in text
    assert "eval(" not in text
