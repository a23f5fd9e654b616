"""The Chinese catalogue is complete, and the tools that keep it so notice when it is not."""

import polib
import pytest

from furrow.dashboard import translations


@pytest.mark.slow
def test_every_text_has_its_chinese():
    assert translations.problems(translations.catalogue_merge()) == []


@pytest.mark.slow
def test_stored_catalogue_holds_every_text():
    stored = {entry.msgid for entry in polib.pofile(str(translations.catalogue_path()))}
    missing = {message.msgid for message in translations.messages_collect()} - stored
    assert missing == set()


def test_collector_reads_code_templates_and_raised_errors(tmp_path):
    code = tmp_path / "platform" / "app.py"
    code.parent.mkdir()
    code.write_text(
        "_('Plain'); ngettext('%(n)s leaf', '%(n)s leaves', 2)\nraise NotFound('Gone.')\nother('No')\n"
        "router.post('/trees', summary='Plant a tree')(print)"
    )
    page = tmp_path / "templates" / "page.html"
    page.parent.mkdir()
    page.write_text(
        "{% load i18n %}{% translate 'From a page' %}"
        "{% blocktranslate count n=x %}{{ n }} tree{% plural %}{{ n }} trees{% endblocktranslate %}"
    )
    found = {(m.msgid, m.plural) for m in translations.messages_collect(tmp_path)}
    assert found == {
        ("Plain", ""),
        ("%(n)s leaf", "%(n)s leaves"),
        ("Gone.", ""),
        ("Plant a tree", ""),
        ("From a page", ""),
        ("%(n)s tree", "%(n)s trees"),
    }


@pytest.mark.parametrize("chinese", ["", "树 %(count)s"])
def test_missing_or_broken_chinese_is_reported(chinese):
    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid="%(n)s tree", msgstr=chinese))
    assert len(translations.problems(catalogue)) == 1
