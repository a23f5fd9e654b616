"""The law library: loaded from a file, shown with the day of its wording, and the cited articles always there."""

import json
import lzma

import pytest
from django.core.management import CommandError, call_command

from apps.contracts.checks.catalogue import CHECKS
from apps.contracts.laws.library import articles_of
from apps.contracts.models import LawArticle
from apps.contracts.playbook.starter import starters

CIVIL = "中华人民共和国民法典"


def written(path, rows):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    with lzma.open(path, "wt", encoding="utf-8") as stream:
        stream.write(text)
    return path


def test_everything_that_is_cited_is_there_with_its_day(db):
    cited = [{"law": s.law, "article": s.article} for check in CHECKS for s in check.statutes]
    cited += [s for starter in starters().values() for spec in starter.rules for s in spec.statutes]
    found = articles_of(cited)
    assert len(found) > 60
    assert all(article.text and article.version for article in found.values())


def test_newer_wording_is_shown_instead_of_the_older(db, tmp_path, capsys):
    key = {"law": CIVIL, "article": "第五百八十六条"}
    rows = [
        {**key, "version": "2030-01-01", "text": "新的。", "path": "", "latest": True},
        {"law": "小法", "article": "第一条", "version": "", "text": "一。"},
    ]
    path = written(tmp_path / "laws.jsonl.xz", rows)
    call_command("load_laws", str(path))
    call_command("load_laws", str(path))
    assert "2 articles read, 0 new" in capsys.readouterr().out
    found = articles_of(
        [key, {"law": "小法", "article": "第一条"}, {"law": "无", "article": "第一条"}]
    )
    assert (found[CIVIL, "第五百八十六条"].text, found[CIVIL, "第五百八十六条"].version) == (
        "新的。",
        "2030-01-01",
    )
    assert found["小法", "第一条"].text == "一。"
    assert found["无", "第一条"].text == ""


def test_wrong_file_is_named_in_plain_words(db, tmp_path):
    path = tmp_path / "laws.jsonl"
    path.write_text('{"law": "x"}\n')
    with pytest.raises(CommandError, match="Line 1 is no article"):
        call_command("load_laws", str(path))
    with pytest.raises(CommandError, match="There is no file"):
        call_command("load_laws", str(tmp_path / "none"))
    assert not LawArticle.objects.exists()
