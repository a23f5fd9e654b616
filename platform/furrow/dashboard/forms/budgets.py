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
# How long a "shorter" answer may be.
SHORT_TOKENS = 256
STEPS = [
    ("", _("Go on as always until the stop")),
    ("shorter", _("Shorter answers")),
    ("quoted", _("Only quotes and approved answers; the model writes nothing")),
    ("approved", _("Only approved answers, else a person")),
    ("human", _("Only a person")),
]
KEEP = ("keep", _("As set up over the API"))
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
    step = forms.ChoiceField(label=_("When it runs low"), choices=STEPS, required=False)
    step_at = forms.TypedChoiceField(
        label=_("It runs low from"),
        choices=[(50, "50 %"), (70, "70 %"), (80, "80 %"), (90, "90 %")],
        coerce=int,
        initial=80,
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
        at = self.initial.get("step_at", 80)
        levels = sorted({50, 70, 80, 90, at})
        self.fields["step_at"].choices = [(n, f"{n} %") for n in levels]  # type: ignore[attr-defined]
        if budget is not None and not _is_simple(budget.steps):
            self.fields["step"].choices = [*STEPS, KEEP]  # type: ignore[attr-defined]
        for name in ("cap_hard", "cap_soft"):
            label = self.fields[name].label
            self.fields[name].label = f"{label} ({unit_text(currency)})"

    def values(self) -> dict[str, Any]:
        """As `budget_set` takes them; without the scope when a budget is changed."""
        data = dict(self.cleaned_data)
        data["thresholds"] = tuple(data["thresholds"])
        data["steps"] = _steps(data.pop("step"), data.pop("step_at"))
        if "scope" in data:
            data["scope_kind"], _colon, data["scope_id"] = data.pop("scope").partition(":")
        return data


def _is_simple(steps: list[dict[str, Any]]) -> bool:
    """Whether the form can show them: none, or one of those it offers."""
    return not steps or (len(steps) == 1 and steps[0]["step"] in dict(STEPS))


def _steps(name: str, at: int) -> list[dict[str, Any]] | None:
    """None leaves what is there."""
    if name == KEEP[0]:
        return None
    longest = {"max_tokens": SHORT_TOKENS} if name == "shorter" else {}
    return [{"at": at, "step": name, **longest}] if name else []


def _initial(budget: Budget) -> dict[str, Any]:
    first = budget.steps[0] if budget.steps else {"step": "", "at": 80}
    return {
        "cap_hard": budget.cap_hard,
        "cap_soft": budget.cap_soft,
        "thresholds": budget.thresholds,
        "step": first["step"] if _is_simple(budget.steps) else KEEP[0],
        "step_at": first["at"] if _is_simple(budget.steps) else 80,
    }
