"""The lines of an invoice in words, for its page and its PDF."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from furrow.metering.models import InvoiceLine

_BUCKETS: dict[str, Any] = {
    "in_hit": _lazy("text read again"),
    "in_miss": _lazy("text read"),
    "out": _lazy("text written"),
    "reasoning": _lazy("thinking"),
}
_KINDS: dict[str, Any] = {
    "chat": _lazy("Answers"),
    "embedding": _lazy("Documents and searches"),
    "rerank": _lazy("Sorting of results"),
}
_OTHERS: dict[str, Any] = {
    "absorbed": _lazy("Not charged to you"),
    "prepaid": _lazy("Paid from your credit"),
    "rounding": _lazy("Rounding to whole cents"),
    "adjustment": _lazy("Adjustment"),
}


def line_words(line: InvoiceLine) -> str:
    """What a line is for; an adjustment says why in its own words."""
    if line.kind in _OTHERS:
        words = str(_OTHERS[line.kind])
        return f"{words}: {line.model}" if line.model else words
    kind = str(_KINDS.get(line.kind, line.kind))
    # An encoder has one price whatever it reads.
    if line.kind != "chat":
        return kind
    return _("%(kind)s, %(part)s") % {"kind": kind, "part": _BUCKETS.get(line.bucket, line.bucket)}


def line_model(line: InvoiceLine) -> str:
    return "" if line.kind in _OTHERS else line.model
