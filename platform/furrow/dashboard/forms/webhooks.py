"""The form of an address that messages are sent to."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furrow.channels.models import WebhookEndpoint
from furrow.channels.webhooks import EVENTS, events_known
from furrow.dashboard.news_words import news_event


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Where your program listens, for example https://shop.example.com/furrow"),
        widget=forms.URLInput(),
    )
    events = forms.MultipleChoiceField(
        label=_("What is sent there"), widget=forms.CheckboxSelectMultiple, initial=list(EVENTS)
    )
    is_enabled = forms.BooleanField(label=_("Send messages"), required=False, initial=True)

    def __init__(self, data: Any, *, endpoint: WebhookEndpoint | None = None) -> None:
        names = ("url", "events", "is_enabled")
        initial = {name: getattr(endpoint, name) for name in names} if endpoint else None
        super().__init__(data, initial=initial)
        self.fields["events"].choices = [(name, news_event(name)) for name in events_known()]  # type: ignore[attr-defined]
        if endpoint is None:
            del self.fields["is_enabled"]
