"""Small tags of the shop's pages."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.support.claiming.explain import explained
from apps.support.facts.telling import plain
from apps.support.importing.wording import FIELDS, problem_words

register = template.Library()


@register.simple_tag(takes_context=True)
def shop(context: template.Context, name: str, *args: Any) -> str:
    """The address of a page of the shop of the tenant at hand."""
    return reverse(f"support:{name}", args=[context["request"].tenant.slug, *args])


@register.filter
def yuan(amount: Decimal | str | None) -> str:
    return "–" if amount is None or amount == "" else f"¥{amount}"


@register.filter
def kilos(weight: Decimal | None) -> str:
    return "–" if weight is None else f"{plain(weight)} kg"


@register.filter
def season_words(window: Any) -> str:
    if window.is_all_year:
        return _("All year")
    days = (divmod(day, 100) for day in (window.first_day, window.last_day))
    return "–".join(f"{month}/{day}" for month, day in days)


@register.filter
def problem(entry: Mapping[str, str]) -> str:
    return problem_words(entry)


@register.filter
def field_name(name: str) -> str:
    return str(FIELDS.get(name, name))


@register.filter
def steps_words(steps: list[dict[str, Any]]) -> list[str]:
    """In the reader's language; the letter is in the customer's."""
    return explained(steps, "zh" if (get_language() or "").startswith("zh") else "en")


@register.filter
def rule_name(rule: Mapping[str, str] | None) -> str:
    if not rule:
        return "–"
    return rule["name_zh" if (get_language() or "").startswith("zh") else "name_en"]


@register.filter
def finding_words(code: str) -> str:
    return {
        "same_file": _("The very same file was sent before"),
        "same_picture": _("The same picture was sent before"),
        "edited": _("Saved by a picture editor"),
        "older_than_order": _("Taken before the order"),
        "from_the_future": _("Its time lies after the claim"),
    }.get(code, code)


@register.filter
def shown_value(value: Any) -> str:
    """A value of a preview: lists joined, nothing as a dash."""
    if value is None or value == "":
        return "–"
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)
