"""The form of what an owner supposes about people's work."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furrow.dashboard.forms.budgets import MoneyField
from furrow.dashboard.money import unit_text


class AssumptionsForm(forms.Form):
    minutes_per_chat = forms.DecimalField(
        label=_("Minutes a person needs for one chat"),
        min_value=Decimal("0.1"),
        max_value=1000,
        max_digits=6,
        decimal_places=1,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    wage_per_hour = MoneyField(label=_("Wage of an hour"), required=True)
    solved_percent = forms.IntegerField(
        label=_("Chats the assistant ends alone, in %"),
        min_value=0,
        max_value=100,
        required=False,
        help_text=_("Empty: as counted in this time."),
    )

    def __init__(self, data: Any, *, currency: str, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial)
        label = self.fields["wage_per_hour"].label
        self.fields["wage_per_hour"].label = f"{label} ({unit_text(currency)})"
