"""Words for what a search did: how it looked, what it left out and why something counts more."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _lazy

# The part before a colon; what follows it is a detail, for example a language.
_SEARCH_NOTES = {
    "vectors_unavailable": _lazy(
        "The search by meaning does not answer now; only words were compared."
    ),
    "vectors_building": _lazy(
        "The search by meaning is still being prepared; words were compared."
    ),
    "vectors_not_paid": _lazy("The budget is used up; only words were compared."),
    "rerank_unavailable": _lazy(
        "The second look by a model does not answer now; its order is left out."
    ),
    "rerank_not_paid": _lazy("The budget is used up; the second look was left out."),
    "vectors_untrusted": _lazy(
        "The connected model does not know this language well, so only words were compared."
    ),
}
_SEARCH_REASONS = {
    "named": _lazy("Counts more: the question names this document."),
    "cited": _lazy("Counts more: other documents refer to this one."),
    "known": _lazy("Counts more: it answered questions like this one."),
    "known_passage": _lazy("Counts more: this passage answered a question like this one."),
}
SEARCH_MODES = {
    "hybrid": _lazy("Words and meaning together"),
    "lexical": _lazy("Exact words only"),
    "vector": _lazy("Meaning only"),
}
_SEARCH_CUTS = {
    "duplicate": _lazy("It says the same as a passage above."),
    "beyond_limit": _lazy("It comes after the number that was asked for."),
    "expired": _lazy("Its document is past its last valid day."),
    "not_yet_valid": _lazy("Its document is not valid yet."),
}
_SEARCH_ADDITIONS = {
    "pinyin": _lazy("“%(said)s” was read as pinyin: %(meant)s"),
    "typo": _lazy("“%(said)s” is in no document; “%(meant)s” was looked for besides"),
    "synonym": _lazy("“%(said)s” means the same as “%(meant)s”"),
    "formal": _lazy("“%(said)s”: rules and contracts say “%(meant)s”, which was looked for too."),
}


def search_note(note: str) -> str:
    """What a search left out, in words."""
    return str(_SEARCH_NOTES.get(note.split(":")[0], note))


def search_reason(name: str) -> str:
    return str(_SEARCH_REASONS.get(name, name))


def search_cut(code: str) -> str:
    return str(_SEARCH_CUTS.get(code, code))


def searches_like(settings: Mapping[str, Any]) -> str:
    mode = SEARCH_MODES.get(settings.get("mode", ""), SEARCH_MODES["hybrid"])
    return f"{mode} · {settings.get('limit', 8)}"


def search_addition(kind: str, said: str, meant: str) -> str:
    return str(_SEARCH_ADDITIONS[kind]) % {"said": said, "meant": meant}
