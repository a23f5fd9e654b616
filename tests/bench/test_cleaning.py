"""Cleaning may not fall below its bars, on seeds that no rule was written for."""

import pytest

from tests.bench.cleaning import score
from tests.bench.cleaning_corpus import A_KIND, KINDS, corpus_make


@pytest.mark.parametrize("seed", [11, 2027])
@pytest.mark.slow
def test_planted_defects_are_found_and_clean_text_is_left_alone(seed):
    corpus = corpus_make(seed)
    assert len(corpus.plants) == A_KIND * len(KINDS) == 500
    result = score(corpus)
    assert result.recall >= 0.93, result.missed
    assert result.precision >= 0.95, result.false
