"""Checks without a model: each finding quotes the text and says where it stands."""

from apps.contracts.checks.finding import Check, Finding, Hit, Level, Passed, Statute, is_verbatim
from apps.contracts.checks.runner import Report, checks_run

__all__ = [
    "Check",
    "Finding",
    "Hit",
    "Level",
    "Passed",
    "Report",
    "Statute",
    "checks_run",
    "is_verbatim",
]
