"""Tracked changes and comments in Word files: the original bytes stay, only what changes is spliced in."""

from apps.contracts.redline.edits import Change, Comment, Delete, Edit, EditRefused, InsertAfter
from apps.contracts.redline.package import DocumentUnreadable
from apps.contracts.redline.writer import Redline, paragraphs_read, redline_write

__all__ = [
    "Change",
    "Comment",
    "Delete",
    "DocumentUnreadable",
    "Edit",
    "EditRefused",
    "InsertAfter",
    "Redline",
    "paragraphs_read",
    "redline_write",
]
