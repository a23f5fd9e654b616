"""Forms of the house's rules: zones, policies, limits and claim rules."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.support.claiming.explain import words
from apps.support.claiming.rules import EVIDENCE, EXCLUSIONS
from apps.support.facts.telling import plain
from apps.support.importing import cells
from apps.support.importing.wording import PROBLEMS
from apps.support.models.claims import Reason

_MONEY: dict[str, Any] = {"max_digits": 10, "decimal_places": 2, "min_value": 0, "required": False}
_PERCENT: dict[str, Any] = {"max_digits": 5, "decimal_places": 2, "min_value": 0, "max_value": 100, "required": False}  # fmt: skip
FORMULAS = (
    ("weight_or_count", _("Bad weight, or pieces where it was not weighed")),
    ("weight_share", _("Bad weight of the net weight")),
    ("count_share", _("Bad or missing pieces of all")),
    ("short_weight", _("What is missing of the net weight")),
    ("percent", _("A fixed percentage of the price")),
    ("full", _("Everything is paid back")),
    ("sugar", _("A percentage for each step of sugar")),
    ("none", _("Nothing is due")),
)


class ZoneForm(forms.Form):
    name = forms.CharField(label=_("Zone"), max_length=60)
    regions = forms.CharField(
        label=_("Provinces"),
        max_length=400,
        help_text=_("With commas between: Jiangxi, Guangdong, Fujian"),
    )
    is_served = forms.BooleanField(label=_("We send there"), required=False, initial=True)
    carrier = forms.CharField(label=_("Carrier"), max_length=60, required=False)
    days = forms.CharField(
        label=_("Days"), max_length=10, required=False, help_text=_("For example 2–3")
    )
    first_kg = forms.DecimalField(label=_("First weight in kg"), **_MONEY)
    first_fee = forms.DecimalField(label=_("First fee"), **_MONEY)
    extra_fee = forms.DecimalField(label=_("Fee for each further kg"), **_MONEY)
    free_over = forms.DecimalField(label=_("Free from"), **_MONEY)
    cold_chain_fee = forms.DecimalField(label=_("Cold chain fee"), **_MONEY)
    is_cold_chain_served = forms.BooleanField(
        label=_("Chilled goods are sent there"), required=False, initial=True
    )

    def clean_regions(self) -> list[str]:
        found: list[str] = _read(cells.regions, self.cleaned_data["regions"])
        return found

    def clean_days(self) -> list[int] | None:
        text = self.cleaned_data["days"]
        found: list[int] | None = _read(cells.days, text) if text else None
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("is_served") and data.get("first_fee") is None:
            self.add_error("first_fee", _("A zone that is served needs a fee."))
        return data


class PauseForm(forms.Form):
    regions = forms.CharField(
        label=_("Provinces"),
        max_length=400,
        help_text=_("With commas between: Jiangxi, Guangdong, Fujian"),
    )
    first_day = forms.CharField(
        label=_("First day"), max_length=5, help_text=_("Month and day, for example 12-15")
    )
    last_day = forms.CharField(label=_("Last day"), max_length=5)
    reason_zh = forms.CharField(label=_("Why, in Chinese"), max_length=120, required=False)
    reason_en = forms.CharField(label=_("Why, in English"), max_length=120, required=False)

    @staticmethod
    def day_text(code: int) -> str:
        return f"{code // 100:02}-{code % 100:02}"

    def clean_regions(self) -> list[str]:
        found: list[str] = _read(cells.regions, self.cleaned_data["regions"])
        return found

    def clean_first_day(self) -> int:
        return self._day("first_day")

    def clean_last_day(self) -> int:
        return self._day("last_day")

    def pause(self) -> dict[str, Any]:
        values = dict(self.cleaned_data)
        days = (values.pop("first_day"), values.pop("last_day"))
        return {**values, "days": days}

    def _day(self, name: str) -> int:
        found = re.fullmatch(r"(\d{1,2})[-/.月](\d{1,2})日?", self.cleaned_data[name].strip())
        if found is None:
            raise forms.ValidationError(_("Month and day, for example 12-15"))
        return int(found[1]) * 100 + int(found[2])


class PolicyForm(forms.Form):
    text_zh = forms.CharField(
        label=_("In Chinese"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    text_en = forms.CharField(
        label=_("In English"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class LimitsForm(forms.Form):
    """How old a fact may be, in hours, and what is paid without a person."""

    price_hours = forms.IntegerField(label=_("Prices, hours"), min_value=1, max_value=20_000)
    stock_hours = forms.IntegerField(label=_("Stock, hours"), min_value=1, max_value=20_000)
    order_hours = forms.IntegerField(label=_("Orders, hours"), min_value=1, max_value=20_000)
    season_hours = forms.IntegerField(
        label=_("Seasons and storage, hours"), min_value=1, max_value=20_000
    )
    rules_hours = forms.IntegerField(
        label=_("Shipping and rules, hours"), min_value=1, max_value=20_000
    )
    approve_above = forms.DecimalField(
        label=_("Claims up to this sum need nobody's yes"),
        max_digits=10,
        decimal_places=2,
        min_value=0,
    )
    two_above = forms.DecimalField(
        label=_("Claims above this sum need the yes of two people"),
        help_text=_("Empty is never. While you are alone in the business, your yes is enough."),
        max_digits=10,
        decimal_places=2,
        min_value=0,
        required=False,
    )


class RuleForm(forms.Form):
    """Shares as percentages; the terms of `claiming.rules` in the owner's words."""

    name_zh = forms.CharField(label=_("Name in Chinese"), max_length=120)
    name_en = forms.CharField(label=_("Name in English"), max_length=120)
    reason = forms.ChoiceField(label=_("For which case"), choices=Reason.choices)
    categories = forms.CharField(
        label=_("Only for these categories"),
        required=False,
        max_length=200,
        help_text=_("With commas between; empty is for all goods."),
    )
    formula = forms.ChoiceField(label=_("What is paid"), choices=FORMULAS)
    window_hours = forms.IntegerField(
        label=_("Hours after delivery"), required=False, min_value=0, max_value=20_000, help_text=_("Empty is no limit.")
    )  # fmt: skip
    evidence = forms.MultipleChoiceField(
        label=_("Photos that are needed"), required=False, widget=forms.CheckboxSelectMultiple
    )
    tolerance = forms.DecimalField(label=_("Normal up to, percent"), **_PERCENT)
    full_from = forms.DecimalField(label=_("Everything back from, percent"), **_PERCENT)
    percent = forms.DecimalField(label=_("Percentage of the price"), **_PERCENT)
    cap_share = forms.DecimalField(label=_("At most, percent of the price"), **_PERCENT)
    cap_amount = forms.DecimalField(label=_("At most, yuan"), **_MONEY)
    exclusions = forms.MultipleChoiceField(
        label=_("Nothing is due when"), required=False, widget=forms.CheckboxSelectMultiple
    )
    approve_above = forms.DecimalField(
        label=_("Needs a person above, yuan"), help_text=_("Empty is the shop's limit."), **_MONEY
    )
    approver = forms.ChoiceField(
        label=_("Who says yes"),
        choices=[("staff", _("Staff")), ("owner", _("Owner or administrator"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = "zh" if (get_language() or "").startswith("zh") else "en"
        photos = [(kind, words([f"photo:{kind}"], language)) for kind in EVIDENCE]
        self.fields["evidence"].choices = photos  # type: ignore[attr-defined]
        against = [(code, words([code], language)) for code in EXCLUSIONS]
        self.fields["exclusions"].choices = against  # type: ignore[attr-defined]

    def clean_categories(self) -> list[str]:
        return cells.words(self.cleaned_data["categories"])

    def terms(self, before: dict[str, Any]) -> dict[str, Any]:
        """What the form does not show (the steps of sugar, the pick-up window) stays as it was."""
        terms = dict(before)
        data = self.cleaned_data
        shown: dict[str, Any] = {
            "formula": data["formula"],
            "window_hours": data["window_hours"],
            "evidence": data["evidence"],
            "exclusions": data["exclusions"],
            "approver": data["approver"],
            **{
                name: _share(data[name])
                for name in ("tolerance", "full_from", "percent", "cap_share")
            },
            **{name: _text(data[name]) for name in ("cap_amount", "approve_above")},
        }
        for name, value in shown.items():
            terms.pop(name, None)
            if value not in (None, [], ""):
                terms[name] = value
        return terms


def rule_initial(row: Any) -> dict[str, Any]:
    terms = {"approver": "staff", **row.terms}
    for name in ("tolerance", "full_from", "percent", "cap_share"):
        if name in terms:
            terms[name] = plain(Decimal(terms[name]) * 100)
    names = ("name_zh", "name_en", "reason")
    return {
        **terms,
        **{name: getattr(row, name) for name in names},
        "categories": "、".join(row.categories),
    }


def _share(percent: Decimal | None) -> str | None:
    return None if percent is None else f"{(percent / 100).normalize():f}"


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _read(read: Any, text: str) -> Any:
    try:
        return read(text)
    except cells.BadCell as bad:
        raise forms.ValidationError(str(PROBLEMS[bad.code])) from None
