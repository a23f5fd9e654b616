"""Forms of the inbox's settings: hours, seasons, topics and ready replies."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furrow.conversations.models import TopicMode
from furrow.conversations.signals import TOPICS
from furrow.dashboard.forms.base import DateInput
from furrow.dashboard.inbox_words import topic_name
from furrow.tenants.hours import DEFAULT_ZONE

DAYS = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)
ZONES = (
    "Asia/Shanghai",
    "Asia/Hong_Kong",
    "Asia/Taipei",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "UTC",
)


class ClockField(forms.CharField):
    """A time such as 08:00, or 24:00 for the end of a day, which the browser's own picker cannot say."""

    def __init__(self, *, example: str = "08:00", **kwargs: Any) -> None:
        attrs = {
            "placeholder": example,
            "inputmode": "numeric",
            "pattern": "[0-2][0-9]:[0-5][0-9]",
            "size": 6,
        }
        super().__init__(
            required=False, max_length=5, widget=forms.TextInput(attrs=attrs), **kwargs
        )  # fmt: skip

    def clean(self, value: object) -> str:
        text = str(super().clean(value)).replace("：", ":")
        return f"0{text}" if len(text) == 4 and text[1] == ":" else text


class WeekForm(forms.Form):
    """Both fields of a day empty: nobody is there that day."""

    zone = forms.ChoiceField(label=_("Time zone"), choices=[(zone, zone) for zone in ZONES])

    def __init__(self, data: Any = None, *, weekly: Any = (), zone: str = DEFAULT_ZONE) -> None:
        super().__init__(data, initial={"zone": zone})
        if zone not in ZONES:
            self.fields["zone"].choices = [(zone, zone), *((name, name) for name in ZONES)]  # type: ignore[attr-defined]
        for number, name in enumerate(DAYS):
            begin, end = (weekly[number] if number < len(weekly) else None) or ("", "")
            for part, value, example in (("from", begin, "08:00"), ("to", end, "18:00")):
                field = ClockField(label=name, initial=value, example=example)
                self.fields[f"{part}_{number}"] = field

    @property
    def days(self) -> list[tuple[Any, Any, Any]]:
        return [(DAYS[n], self[f"from_{n}"], self[f"to_{n}"]) for n in range(7)]

    @property
    def weekly(self) -> list[list[str] | None]:
        cleaned = self.cleaned_data
        pairs = [[cleaned[f"from_{n}"], cleaned[f"to_{n}"]] for n in range(7)]
        return [pair if any(pair) else None for pair in pairs]


class SeasonForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        widget=forms.TextInput(attrs={"placeholder": _("for example: orange harvest")}),
    )
    starts_on = forms.DateField(label=_("First day"), widget=DateInput())
    ends_on = forms.DateField(label=_("Last day"), widget=DateInput())
    is_yearly = forms.BooleanField(label=_("Every year"), required=False)
    opens_at = ClockField(label=_("Opens"))
    closes_at = ClockField(
        label=_("Closes"),
        example="18:00",
        help_text=_("Both empty: nobody is there on these days."),
    )

    def season(self) -> dict[str, Any]:
        values = dict(self.cleaned_data)
        span = (values.pop("opens_at"), values.pop("closes_at"))
        return {**values, "span": span if any(span) else None}


class TopicsForm(forms.Form):
    """What the assistant may do with each topic."""

    def __init__(self, data: Any = None, *, modes: dict[str, str]) -> None:
        super().__init__(data)
        for topic in TOPICS:
            self.fields[topic] = forms.ChoiceField(
                label=topic_name(topic), choices=TopicMode.Mode.choices, initial=modes[topic]
            )


class CannedForm(forms.Form):
    title = forms.CharField(label=_("Name"), max_length=60)
    text_zh = forms.CharField(
        label=_("Chinese text"), required=False, max_length=2000, widget=forms.Textarea({"rows": 4})
    )
    text_en = forms.CharField(
        label=_("English text"), required=False, max_length=2000, widget=forms.Textarea({"rows": 4})
    )
