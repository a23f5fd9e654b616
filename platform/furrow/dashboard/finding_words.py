"""Words for what cleaning found in a document."""

from django.utils.translation import gettext_lazy as _lazy

# Kind of finding: what it is called, and what it means to the owner.
_FINDINGS = {
    "running": (_lazy("Page header or footer"), _lazy("The same line on many pages.")),
    "boilerplate": (
        _lazy("Menu or page furniture"),
        _lazy("Menus, copyright and page numbers answer nothing."),
    ),
    "garble": (
        _lazy("Unreadable characters"),
        _lazy("The text was saved in a wrong encoding. Upload a clean copy."),
    ),
    "ocr_noise": (
        _lazy("Badly recognised scan"),
        _lazy("A sharper photo or the original file reads better:"),
    ),
    "repeated_header": (
        _lazy("Column names repeated"),
        _lazy("The table's head stands again among its rows."),
    ),
    "truncated_table": (_lazy("Row cut short"), _lazy("The last columns are missing:")),
    "odd_value": (
        _lazy("Value does not fit its column"),
        _lazy("The other rows have another kind of value here:"),
    ),
    "near_duplicate": (
        _lazy("Said twice"),
        _lazy("The same words stand earlier in this document."),
    ),
    "contradiction": (_lazy("Documents disagree"), _lazy("Another document says otherwise:")),
    "placeholder": (
        _lazy("Gap not filled in"),
        _lazy("Somebody still has to write something here:"),
    ),
    "stale": (_lazy("Offer is over"), _lazy("Its last day has passed:")),
    "cut_off": (_lazy("Text breaks off"), _lazy("The sentence has no end.")),
}


def finding_kind(kind: str) -> str:
    return str(_FINDINGS[kind][0]) if kind in _FINDINGS else kind


def finding_help(kind: str) -> str:
    return str(_FINDINGS[kind][1]) if kind in _FINDINGS else ""
