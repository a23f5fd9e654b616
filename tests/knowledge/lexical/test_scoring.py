import math
from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pytest

from furrow.knowledge.lexical.pruning import worthwhile
from furrow.knowledge.lexical.scoring import Bm25, Hit, SegmentView, idf, score
from furrow.knowledge.lexical.segments import build_segment
from furrow.knowledge.text.analysis import Term, analyse, analyse_query

TEXTS = ["苹果 苹果 苹果", "香梨和苹果", "香梨礼盒", "运费说明 HN-2025/A3", "HN-2025 说明", "发货"]


def search(
    question: str, pieces: Sequence[Sequence[str]], limit: int = 10, dead: Sequence[int] = ()
) -> list[Hit]:
    views, postings, first = [], {}, 0
    for key, texts in enumerate(pieces):
        data = build_segment((UUID(int=first + n), "", text) for n, text in enumerate(texts))
        alive = np.array([first + n not in dead for n in range(len(texts))])
        views.append(SegmentView(key, data.chunk_ids, data.lengths, alive if dead else None))
        postings |= {(key, term): packed for term, packed in data.postings.items()}
        first += len(texts)
    return score(analyse_query(question), views, postings, limit)


def test_scores_are_those_of_the_formula() -> None:
    (best, *_) = search("苹果", [TEXTS])
    lengths = [sum(count for _, count in analyse(text)) for text in TEXTS]
    norm = 1.2 * (0.1 + 0.9 * lengths[0] / (sum(lengths) / len(lengths)))
    expected = 3 * idf(6, 2) * 3 * 2.2 / (3 + norm)
    assert best.chunk_id == UUID(int=0)
    assert best.score == pytest.approx(expected, rel=1e-5)


def test_how_chunks_fell_into_segments_changes_nothing() -> None:
    whole = search("香梨 苹果 说明", [TEXTS])
    split = search("香梨 苹果 说明", [TEXTS[:1], TEXTS[1:4], TEXTS[4:]])
    assert [hit.chunk_id for hit in whole] == [hit.chunk_id for hit in split]
    assert [hit.score for hit in whole] == pytest.approx([hit.score for hit in split])


def test_the_whole_code_comes_before_its_relatives() -> None:
    hits = search("HN-2025/A3", [TEXTS])
    assert [hit.chunk_id.int for hit in hits] == [3, 4]
    assert hits[0].matched_terms[0] == "hn-2025/a3"


def test_matched_terms_are_those_of_the_chunk() -> None:
    hits = {hit.chunk_id.int: set(hit.matched_terms) for hit in search("香梨礼盒", [TEXTS])}
    assert hits[1] == {"香", "梨", "香梨"}
    assert "礼盒" in hits[2]


def test_dead_chunks_do_not_appear() -> None:
    assert [hit.chunk_id.int for hit in search("苹果", [TEXTS], dead=[0])] == [1]


def test_equal_scores_follow_the_chunk_id_and_the_limit_holds() -> None:
    hits = search("发货", [["发货"] * 3, ["发货"] * 3], limit=4)
    assert [hit.chunk_id.int for hit in hits] == [0, 1, 2, 3]


def test_no_match_no_segments_and_no_question_give_nothing() -> None:
    assert search("西瓜", [TEXTS]) == []
    assert search("？", [TEXTS]) == []
    assert score([Term("a", 1.0)], [], {}, 10) == []


def test_common_terms_still_score_above_nothing() -> None:
    assert idf(10, 10) > 0
    assert idf(10, 1) > idf(10, 5)
    assert math.isclose(idf(9, 4), math.log(1 + 5.5 / 4.5))


def test_saturation_follows_k1() -> None:
    flat = Bm25(k1=0.0, b=0.0)
    data = build_segment([(UUID(int=1), "", "果 果 果"), (UUID(int=2), "", "果")])
    view = SegmentView(0, data.chunk_ids, data.lengths)
    postings = {(0, term): packed for term, packed in data.postings.items()}
    hits = score([Term("果", 1.0)], [view], postings, 2, flat)
    assert hits[0].score == pytest.approx(hits[1].score)


def test_common_terms_are_left_out_only_when_enough_others_remain() -> None:
    rare = [Term(f"r{n}", 1.0) for n in range(8)]
    common = Term("c", 1.0)
    frequencies = {term.text: 1 for term in rare} | {"c": 90}
    assert worthwhile([common, *rare], frequencies, 100) == rare
    assert worthwhile([common, *rare[:3]], frequencies, 100) == [common, *rare[:3]]
    assert worthwhile([Term("unknown", 1.0)], frequencies, 100) == []
