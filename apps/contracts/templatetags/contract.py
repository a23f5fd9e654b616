"""Small tags of the contract pages."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.contracts.comparing import changes_between
from apps.contracts.laws.library import Article
from apps.contracts.models import Kind
from apps.contracts.reviewing.outcome import Judged

register = template.Library()


@register.simple_tag(takes_context=True)
def contracts(context: template.Context, name: str, *args: Any) -> str:
    """The address of a contract page of the tenant at hand."""
    return reverse(f"contracts:{name}", args=[context["request"].tenant.slug, *args])


@register.filter
def stage_words(name: str) -> str:
    return {
        "reading": _("Reading the file"),
        "clauses": _("Finding the clauses"),
        "checks": _("Built-in checks"),
        "playbook": _("Rules of the playbook"),
        "model": _("Language model"),
    }.get(name, name)


@register.filter
def stage_icon(state: str) -> str:
    return {"done": "check", "running": "clock"}.get(state, "more")


@register.filter
def source_words(source: str) -> str:
    return {
        "check": _("built-in check"),
        "playbook": _("playbook"),
        "classifier": _("classifier"),
        "model": _("language model"),
    }.get(source, source)


@register.filter
def level_tone(level: str) -> str:
    return {"high": "bad", "medium": "warn"}.get(level, "busy")


@register.filter
def kind_words(kind: str) -> str:
    return str(dict(Kind.choices).get(kind, _("Kind not known yet")))


@register.filter
def kind_check(code: str) -> str:
    return {
        "must_have": _("must be there"),
        "must_not": _("must not be there"),
        "threshold": _("limit"),
        "numeric": _("range"),
        "template": _("our wording"),
    }.get(code, code)


@register.filter
def pair_words(state: str) -> str:
    return {
        "changed": _("changed"),
        "moved": _("moved"),
        "added": _("new"),
        "removed": _("removed"),
    }.get(state, state)


@register.filter
def pair_tone(state: str) -> str:
    return {"changed": "warn", "removed": "bad", "added": "good"}.get(state, "busy")


@register.filter
def cited(finding: Any, articles: Mapping[tuple[str, str], Article]) -> list[Article]:
    return [articles[entry["law"], entry["article"]] for entry in finding.statutes]


@register.filter
def changes(one: Judged) -> SafeString:
    """What would be struck out and put in; a number or a Latin word stays whole."""
    marks = {"equal": "{}", "removed": "<del>{}</del>", "added": "<ins>{}</ins>"}
    parts = [
        format_html(marks[change.kind], change.text)
        for change in changes_between(one.finding.quote, one.suggestion or "")
    ]
    return format_html_join("", "{}", ((part,) for part in parts))
