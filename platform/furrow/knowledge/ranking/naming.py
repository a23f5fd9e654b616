"""Which documents a question names: `Consider the Lime Energy distributor agreement; who may end it?`"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from math import log
from typing import TypeVar

from furrow.knowledge.text.analysis import Term, analyse_query
from furrow.knowledge.text.names import readable

# A title counts as named when the question says so much of it, by weight and without its numbers ...
_LEAST_OF_TITLE = 0.5
# ... and nearly as much as it says of the title that fits best.
_NEAR_BEST = 0.8

K = TypeVar("K", bound=Hashable)


def documents_named(query: Sequence[Term], titles: Mapping[K, str]) -> dict[K, float]:
    """The titles that the question names, with the share of its title words that fit, up to 1. `titles` are
    those of the documents in question; words that most of them share weigh little.
    """
    asked = {term for term, _ in query}
    words = {key: _title_terms(title) for key, title in titles.items()}
    counts = Counter(term for terms in words.values() for term in terms)
    rarity = {term: log(1 + (len(words) - n + 0.5) / (n + 0.5)) for term, n in counts.items()}
    of_titles = sum(rarity[term] for term in asked if term in rarity)
    if not of_titles:
        return {}
    fitting = {}
    for key, terms in words.items():
        said = sum(rarity[term] for term in terms if term in asked)
        whole = sum(rarity[term] for term in terms if not term.isdigit())
        if said >= _LEAST_OF_TITLE * whole > 0:
            fitting[key] = said / of_titles
    best = max(fitting.values(), default=0.0)
    return {key: min(share, 1.0) for key, share in fitting.items() if share >= _NEAR_BEST * best}


@lru_cache(maxsize=1 << 14)
def _title_terms(title: str) -> frozenset[str]:
    return frozenset(term for term, _ in analyse_query(readable(title)))
