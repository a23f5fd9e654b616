"""Light English stemming: plurals and the commonest verb endings, nothing that changes a meaning."""

import re
from functools import lru_cache

_VOWEL = re.compile(r"[aeiouy]")
_DOUBLED = re.compile(r"([bdfgmnprt])\1$")
_DERIVED = re.compile(r"(?:ation|at|ion|anc|enc|ment|ness|ity|abl|ibl|ly)$")
_LEAST_ROOT = 3
# Words whose last letters only look like an ending.
_WHOLE = frozenset(
    "news series species always perhaps lens bus gas plus status address access process business "
    "during morning evening nothing something everything anything king ring sing bring spring "
    "string thing wing need speed feed seed bed red hundred indeed".split()
)


def stem(word: str) -> str:
    """The stem of a lower-case word; at least three letters of it always stay."""
    if len(word) < 4 or word in _WHOLE:
        return word
    return _verb(_plural(word))


@lru_cache(maxsize=1 << 14)
def root(word: str) -> str:
    """The stem without the ending that makes another kind of word: `accept` and `acceptance`, `terminate`
    and `termination` meet. Good for comparing a question with a sentence; too coarse for an index.
    """
    bare = stem(word)
    if bare.endswith("ery"):
        return bare.removesuffix("y")
    short = _DERIVED.sub("", bare)
    return short if len(short) >= _LEAST_ROOT else bare


def _plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _verb(word: str) -> str:
    for ending in ("ied", "ing", "ed"):
        root = word[: -len(ending)]
        if not word.endswith(ending) or len(root) < 3 or not _VOWEL.search(root):
            continue
        if ending == "ied":
            return root + "y"
        return _DOUBLED.sub(r"\1", root).removesuffix("e")
    # "change", "changes", "changed", "changing" meet without their e.
    return word.removesuffix("e") if len(word) > 4 else word
