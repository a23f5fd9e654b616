"""Leaving out the terms of a question that cost most and say least."""

from collections.abc import Mapping, Sequence

from furrow.knowledge.text.analysis import Term

# Measured on 57,808 statute articles: 57% fewer bytes to read, nDCG@10 .408 instead of .409. At a
# tenth instead of a fifth it falls to .404.
COMMON_SHARE = 0.2
ENOUGH_TERMS = 8


def worthwhile(
    query: Sequence[Term], frequencies: Mapping[str, int], chunk_count: int
) -> list[Term]:
    """Terms whose postings are worth reading: those that exist, and common ones only when needed."""
    known = [term for term in query if frequencies.get(term.text)]
    rare = [term for term in known if frequencies[term.text] <= COMMON_SHARE * chunk_count]
    return rare if len(rare) >= ENOUGH_TERMS else known
