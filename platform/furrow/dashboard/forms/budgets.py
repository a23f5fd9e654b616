"""The form of a limit."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furrow.dashboard.money import unit_text
from furrow.metering.budgets import THRESHOLDS
from furrow.metering.models import Budget
from furrow.metering.models.ledger import Period

PERIODS = [
    (Period.DAY, _("a day")),
    (Period.MONTH, _("a month")),
    (Period.EVER, _("in all, without an end")),
]
LEVELS = [(50, "50 %"), (80, "80 %"), (90, "90 %"), (100, "100 %")]


def scope_choices(targets: dict[str, list[tuple[str, str]]]) -> list[Any]:
    """What a limit can be for; `targets` are (id, name) pairs by kind."""
    each = [
        ("visitor:*", _("Each visitor")),
        ("assistant:*", _("Each assistant")),
        ("key:*", _("Each API key")),
        ("member:*", _("Each member")),
    ]
    titles = {"assistant": _("One assistant"), "key": _("One API key"), "member": _("One member")}
    return [
        ("tenant:", _("The whole business")),
        (_("Each by itself"), each),
        *(
            (title, [(f"{kind}:{key}", name) for key, name in targets[kind]])
            for kind, title in titles.items()
            if targets.get(kind)
        ),
    ]


class MoneyField(forms.DecimalField):
    """An amount from 0 on, exact to twelve decimals."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(
            min_value=Decimal(0),
            max_digits=24,
            decimal_places=12,
            widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class BudgetForm(forms.Form):
    scope = forms.ChoiceField(label=_("The limit is for"))
    period = forms.ChoiceField(label=_("It counts"), choices=PERIODS, initial=Period.MONTH)
    cap_hard = MoneyField(
        label=_("Stop at"),
        help_text=_("More is never spent. Leave it empty if you only want to be told."),
    )
    cap_soft = MoneyField(
        label=_("Planned amount"),
        help_text=_("Optional. Warnings count from it instead of from the stop."),
    )
    thresholds = forms.TypedMultipleChoiceField(
        label=_("Tell us at"),
        choices=LEVELS,
        coerce=int,
        initial=list(THRESHOLDS),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Once a period, by e-mail to the owners and administrators and by webhook."),
    )

    def __init__(
        self,
        data: Any,
        *,
        targets: dict[str, list[tuple[str, str]]],
        currency: str,
        budget: Budget | None = None,
    ) -> None:
        super().__init__(data, initial=_initial(budget) if budget else None)
        if budget is None:
            self.fields["scope"].choices = scope_choices(targets)  # type: ignore[attr-defined]
        else:
            del self.fields["scope"], self.fields["period"]
        for name in ("cap_hard", "cap_soft"):
            label = self.fields[name].label
            self.fields[name].label = f"{label} ({unit_text(currency)})"

    def values(self) -> dict[str, Any]:
        """As `budget_set` takes them; without the scope when a budget is changed."""
        data = dict(self.cleaned_data)
        data["thresholds"] = tuple(data["thresholds"])
        if "scope" in data:
            data["scope_kind"], _colon, data["scope_id"] = data.pop("scope").partition(":")
        return data


def _initial(budget: Budget) -> dict[str, Any]:
    return {
        "cap_hard": budget.cap_hard,
        "cap_soft": budget.cap_soft,
        "thresholds": budget.thresholds,
    }
