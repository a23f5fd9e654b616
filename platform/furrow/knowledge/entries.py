"""One line of a file of texts, as `load_jsonl` takes it, checked."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from furrow.core.errors import Invalid
from furrow.knowledge.services.details import Details, text_cleaned

MAX_CHARS = 2_000_000
# As deep as books of law are: part, title, chapter, section and what lies between.
MAX_HEADINGS = 8
HEADING_LENGTH = 300


@dataclass(frozen=True)
class Entry:
    """`headings` lead from the outermost to the one the text stands under."""

    details: Details
    text: str
    headings: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Of everything that is indexed; dates and metadata may change without a new version."""
        parts = (self.details.title, self.text, *self.headings)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def entry_parse(line: str) -> Entry:
    """Raises `Invalid` with the reason."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise Invalid("not JSON") from None
    if not isinstance(data, dict):
        raise Invalid("not an object")
    for name in ("external_id", "title", "text"):
        if not isinstance(data.get(name), str) or not data[name].strip():
            raise Invalid(f"{name} is missing or no text")
    text = text_cleaned(data["text"]).replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text or len(text) > MAX_CHARS:
        raise Invalid("text is empty or too long")
    details = Details.checked(
        data["title"],
        data["external_id"],
        data.get("metadata") or {},
        _day(data.get("valid_from")),
        _day(data.get("valid_to")),
    )
    return Entry(details, text, _headings(data.get("headings")))


def _headings(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Invalid("headings is not a list of texts")
    if len(value) > MAX_HEADINGS:
        raise Invalid(f"there are more than {MAX_HEADINGS} headings")
    cleaned = (" ".join(text_cleaned(each).split())[:HEADING_LENGTH] for each in value)
    return tuple(heading for heading in cleaned if heading)


def _day(value: Any) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        raise Invalid("a date is not YYYY-MM-DD") from None
