"""Forms of the operator's pages."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from furrow.dashboard.forms.budgets import MoneyField
from furrow.dashboard.money_words import PRICE_KINDS
from furrow.metering.credit import MOST_TOLD
from furrow.metering.model_rules import is_allowed
from furrow.metering.models.prices import ANY_MODEL
from furrow.metering.money import DEFAULT_CURRENCY

_SPAN = re.compile(r"(\d\d:\d\d)\s*[-–~]\s*(\d\d:\d\d)")


class MomentField(forms.DateTimeField):
    """The browser's own picker of day and time; by the installation's clock."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(required=False, widget=widget, **kwargs)


class CurrencyField(forms.RegexField):
    """A code of three letters, whichever way it is written."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            regex="^[A-Z]{3}$",
            label=_("Currency"),
            initial=DEFAULT_CURRENCY,
            max_length=3,
            error_messages={"invalid": _("Three letters, such as CNY or EUR.")},
            **kwargs,
        )

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).upper()


class MachinePriceForm(forms.Form):
    machine = forms.CharField(
        label=_("Machine"),
        max_length=80,
        help_text=_("Any name. The same name again changes its price."),
    )
    per_hour = forms.DecimalField(
        label=_("Price of an hour"),
        min_value=0,
        max_digits=18,
        decimal_places=6,
        help_text=_("Rent, or purchase divided by its hours, with power. 0 when it is gone."),
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    currency = CurrencyField()
    valid_from = MomentField(label=_("Valid from"), help_text=_("Empty: from now on."))


class PriceForm(forms.Form):
    model = forms.CharField(
        label=_("Model"),
        max_length=160,
        initial=ANY_MODEL,
        help_text=_("The model's name, or * for every model without a price of its own."),
    )
    kind = forms.ChoiceField(label=_("What for"), choices=list(PRICE_KINDS.items()))
    window = forms.ChoiceField(label=_("Hours"), required=False)
    per_million = forms.DecimalField(
        label=_("Price of a million tokens"),
        min_value=0,
        max_digits=18,
        decimal_places=9,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    currency = CurrencyField()
    starts_at = MomentField(
        label=_("Valid from"),
        help_text=_("Empty: from now on. Prices of the past cannot be changed."),
    )

    def __init__(self, data: Any, *, windows: list[str], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        named = [(name, name) for name in windows]
        self.fields["window"].choices = [("", _now("The whole day")), *named]  # type: ignore[attr-defined]


class WindowForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=40, help_text=_("For example: night"))
    timezone = forms.CharField(label=_("Time zone"), max_length=60, initial=settings.TIME_ZONE)
    spans = forms.CharField(
        label=_("Hours"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line, such as 22:00-06:00. The end does not belong to it."),
    )

    def clean_spans(self) -> list[tuple[str, str]]:
        lines = [line.strip() for line in self.cleaned_data["spans"].splitlines() if line.strip()]
        found = [_SPAN.fullmatch(line) for line in lines]
        if not all(found):
            raise forms.ValidationError(_now("Write each line as 22:00-06:00."))
        return [(match.group(1), match.group(2)) for match in found if match]


class CurrencyForm(forms.Form):
    currency = CurrencyField()


class CreditForm(forms.Form):
    amount = MoneyField(label=_("Amount"), required=True)
    reference = forms.CharField(
        label=_("Payment"),
        max_length=200,
        help_text=_("Number of the payment. The same number pays in only once."),
    )


class AdjustmentForm(forms.Form):
    direction = forms.ChoiceField(
        label=_("What it does"),
        choices=[("less", _("Takes off the bill")), ("more", _("Adds to the bill"))],
    )
    amount = MoneyField(label=_("Amount"), required=True)
    note = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("The business reads it on its invoice.")
    )

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        sign = Decimal(-1) if data["direction"] == "less" else Decimal(1)
        return {"amount": sign * data["amount"], "note": data["note"]}


class ModelsForm(forms.Form):
    """Which chat models a business may use. `values()` is what `model_rules_set` takes."""

    allowed = forms.MultipleChoiceField(
        label=_("Models it may use"), required=False, widget=forms.CheckboxSelectMultiple
    )
    later = forms.BooleanField(
        label=_("Also models that get a price later"),
        required=False,
        help_text=_("Otherwise each new one waits until you tick it here."),
    )

    def __init__(self, data: Any, *, known: list[str], rules: Mapping[str, bool]) -> None:
        allowed = [name for name in known if is_allowed(rules, name)]
        super().__init__(data, initial={"allowed": allowed, "later": is_allowed(rules, ANY_MODEL)})
        self.known = known
        self.fields["allowed"].choices = [(name, name) for name in known]  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        ticked = set(self.cleaned_data["allowed"])
        named = {name: name in ticked for name in self.known}
        return {"allowed": {**named, ANY_MODEL: self.cleaned_data["later"]}}


class LowCreditForm(forms.Form):
    percent = forms.IntegerField(
        label=_("Tell its leaders at"),
        min_value=0,
        max_value=MOST_TOLD,
        help_text=_(
            "Percent of the credit that stood there after the last payment. 0: only when it is used up."
        ),
    )


class LimitForm(forms.Form):
    ceiling = MoneyField(
        label=_("At most a month"),
        help_text=_("The owner can set less, never more. Empty: no limit of yours."),
    )
