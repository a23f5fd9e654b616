"""The small tags, and how a text is cut for the reader."""

import uuid
from types import SimpleNamespace

from furrow.dashboard.reader import segments, window_of
from furrow.dashboard.templatetags.ui import highlight, percent, ring


def test_highlight_escapes_and_joins_overlapping_pairs():
    marked = highlight("<b>发货时间</b>", ["发货", "货时", "时"])
    assert marked == "&lt;b&gt;<mark>发货时</mark>间&lt;/b&gt;"


def test_highlight_ignores_case_and_leaves_the_rest():
    assert highlight("Ship it", ["SHIP"]) == "<mark>Ship</mark> it"
    assert highlight("a < b", []) == "a &lt; b"


def test_ring_and_percent():
    assert ring(1, 3)["percent"] == 33
    assert percent(None) == "–"
    assert percent(0.456) == "46 %"


def chunk(start: int, end: int, *, is_enabled: bool = True) -> SimpleNamespace:
    return SimpleNamespace(id=uuid.uuid4(), start=start, end=end, is_enabled=is_enabled)


def test_segments_lose_no_character_and_know_their_passage():
    text = "abcdefghij"
    one, two = chunk(1, 5), chunk(4, 8, is_enabled=False)
    pages = [{"number": 1, "start": 0, "end": 6}, {"number": 2, "start": 6, "end": 10}]
    cut = segments(text, pages=pages, chunks=[one, two], window=(0, 10), cited=(2, 3))
    assert "".join(part.text for part in cut) == text
    assert [part.page for part in cut if part.page] == [1, 2]
    assert "".join(part.text for part in cut if part.chunk_id == one.id) == "bcde"
    assert "".join(part.text for part in cut if not part.is_enabled) == "fgh"
    assert "".join(part.text for part in cut if part.is_cited) == "c"


def test_window_of_a_middle_page_is_what_its_passages_cover():
    chunks = [chunk(10, 20), chunk(20, 30)]
    assert window_of("x" * 50, chunks, is_first=False, is_last=False) == (10, 30)
    assert window_of("x" * 50, chunks, is_first=True, is_last=True) == (0, 50)
