"""Small tags of the pages about golden questions and runs."""

from collections.abc import Mapping
from typing import Any

from django import template

from furrow.assistants.evaluation.models import EvaluationRun, GoldenQuestion
from furrow.dashboard import evaluation_words as words

register = template.Library()


@register.inclusion_tag("components/badge.html")
def run_badge(code: str) -> dict[str, Any]:
    return {"tone": words.tone(code), "label": words.state(code)}


@register.inclusion_tag("components/badge.html")
def verdict_badge(is_passed: bool | None) -> dict[str, Any]:
    tone = "" if is_passed is None else "good" if is_passed else "bad"
    return {"tone": tone, "label": words.verdict(is_passed)}


@register.filter
def run_title(run: EvaluationRun) -> str:
    return words.run_title(run)


@register.filter
def side_of(run: EvaluationRun, side: str) -> str:
    return words.side_of(run, side)


@register.filter
def check_words(check: Mapping[str, Any]) -> str:
    return words.check(check)


@register.filter
def expectation_words(row: GoldenQuestion) -> list[str]:
    return words.expectation(row)


@register.simple_tag
def money(amount: Any, currency: str) -> str:
    return words.money(str(amount), currency)


@register.filter
def fate_words(code: str) -> str:
    return words.fate(code)
