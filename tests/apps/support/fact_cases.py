"""Asks the written product questions; used by the tests and by the bench. Inside `tenant_tx`, with the shop loaded."""

import csv
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from django.apps import apps
from django.utils import timezone

from apps.support.facts.rung import ShopFacts
from furrow.assistants.ladder import Question, RungResult
from tests.apps.support.claim_cases import SETS

# Seasons and pauses hang on the day; the set is written for this one.
DAY = datetime(2026, 11, 25, 10, 0, tzinfo=timezone.get_fixed_timezone(480))


@dataclass(frozen=True)
class FactCase:
    language: str
    question: str
    expected: tuple[str, ...]

    @property
    def is_absent(self) -> bool:
        return not self.expected

    def ask(self) -> RungResult:
        question = Question(self.question, self.language, uuid.uuid4())
        return ShopFacts().try_answer(question, Any, Any)  # type: ignore[arg-type]

    def is_right(self, result: RungResult) -> bool:
        if self.is_absent:
            return not result.is_answered
        return result.is_answered and all(piece in result.text for piece in self.expected)


def fact_cases(name: str = "facts.tsv") -> list[FactCase]:
    with (SETS / name).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        FactCase(
            row["language"],
            row["question"],
            () if row["expected"] == "-" else tuple(row["expected"].split("|")),
        )
        for row in rows
    ]


def asked(cases: list[FactCase]) -> list[tuple[FactCase, RungResult]]:
    with mock.patch("apps.support.facts.rung.timezone.now", return_value=DAY):
        return [(case, case.ask()) for case in cases]


def shop_date_set() -> None:
    """Every row was confirmed on the set's day, an hour before."""
    for model in apps.get_app_config("support").get_models():
        if any(each.name == "as_of" for each in model._meta.fields):
            model._default_manager.update(as_of=DAY - timedelta(hours=1))
