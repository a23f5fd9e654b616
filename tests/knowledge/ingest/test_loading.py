"""load_jsonl: bulk loading of short texts."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from furrow.core.context import tenant_tx
from furrow.core.models import Job
from furrow.knowledge import loading
from furrow.knowledge.models import Chunk, Document, DocumentVersion, LexicalSegment

WORDS = ["apricot", "banana", "cherry", "damson", "elderberry"]


def line(n, **fields):
    row = {
        "external_id": f"law-{n}",
        "title": f"Article {n}",
        "text": f"The {WORDS[n]} rule binds all.",
    }
    return json.dumps({**row, **fields}, ensure_ascii=False)


@pytest.fixture
def load(shop, tmp_path):
    def run(*lines, options=()):
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        out, err = StringIO(), StringIO()
        call_command("load_jsonl", str(shop.base.id), str(path), *options, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return run


def test_lines_are_found_at_once_by_their_words(shop, load):
    out, _ = load(line(1), line(2, text="苹果的保鲜期是三十天。"), line(3))
    assert "3 added, 0 replaced, 0 unchanged, 0 lines skipped" in out
    hit = shop.search("damson", mode="lexical").hits[0]
    assert (hit.external_id, hit.title) == ("law-3", "Article 3")
    assert shop.found("蘋果保鮮", mode="lexical") == ["Article 2"]
    document = shop.fresh(type("D", (), {"id": hit.document_id}))
    assert document.status == "ready"
    assert document.live_version.text[hit.start : hit.end] == hit.text


def test_headings_are_searched_and_shown(shop, load):
    load(line(1, headings=["Part  one", "", "Orchards"]), line(2))
    (hit,) = shop.search("orchards", mode="lexical").hits
    assert (hit.external_id, hit.heading_path) == ("law-1", ["Part one", "Orchards"])
    assert "1 replaced" in load(line(1, headings=["Fields"]))[0]
    assert shop.found("orchards", mode="lexical") == []
    assert "headings is no list" in load(line(3, headings="Fields"))[1]


def test_vectors_follow_in_the_background(shop, load):
    load(line(1), line(2))
    assert shop.found("banana binds", mode="vector") == []
    shop.run_jobs()
    assert shop.found("article 1 the banana rule binds all.", mode="vector")[0] == "Article 1"


def test_vectors_can_be_left_out(shop, load):
    load(line(1), options=["--no-embed"])
    with tenant_tx(shop.tenant_id):
        assert not Job.objects.filter(kind="knowledge.embed").exists()


def test_loading_again_replaces_by_external_id(shop, load):
    load(line(1), line(2))
    out, _ = load(line(1, text="All about pears."), line(2), line(3))
    assert "1 added, 1 replaced, 1 unchanged" in out
    assert shop.found("pears", mode="lexical") == ["Article 1"]
    assert "Article 1" not in shop.found("banana", mode="lexical")
    with tenant_tx(shop.tenant_id):
        assert sum(LexicalSegment.objects.values_list("dead_count", flat=True)) == 1
        assert Document.objects.count() == Chunk.objects.count() == 3
        live = DocumentVersion.objects.filter(state="live")
        assert live.count() == 3
        assert live.get(document__external_id="law-1").number == 2


def test_new_dates_count_without_new_words(shop, load):
    load(line(1))
    out, _ = load(line(1, valid_to="2020-01-01"))
    assert "1 unchanged" in out
    assert shop.found("banana") == []


def test_batches_add_up(shop, load, monkeypatch):
    monkeypatch.setattr(loading, "BATCH_DOCUMENTS", 2)
    load(*[line(n) for n in range(5)], line(0, text="Changed in a later batch."))
    assert shop.found("changed later", mode="lexical") == ["Article 0"]
    assert "Article 0" not in shop.found("apricot", mode="lexical")
    with tenant_tx(shop.tenant_id):
        assert Document.objects.count() == 5


def test_bad_lines_are_named_and_skipped(shop, load):
    out, err = load(
        "no json", line(1), line(2, text=" "), line(3, valid_from="soon"), "[1]", "", line(4)
    )
    assert "2 added" in out
    assert "4 lines skipped" in out
    assert "line 1 skipped: not JSON" in err
    assert "line 3 skipped" in err
    assert "line 4 skipped: a date is not YYYY-MM-DD" in err
    assert "line 5 skipped: not an object" in err


def test_characters_the_database_cannot_hold_are_dropped(shop, load):
    load(r'{"external_id": "a", "title": "T\u0000", "text": "Apples\u0000 and \ud800 pears."}')
    assert shop.found("apples pears", mode="lexical") == ["T"]


def test_unknown_base_is_a_plain_sentence(shop, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(line(1))
    with pytest.raises(CommandError, match="no knowledge base"):
        call_command("load_jsonl", str(shop.tenant_id), str(path))
    with pytest.raises(CommandError, match="no file"):
        call_command("load_jsonl", str(shop.base.id), str(tmp_path / "none"))
