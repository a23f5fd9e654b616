"""The form of the chat widget."""

from django import forms
from django.utils.translation import gettext_lazy as _

from furrow.channels.models import Widget
from furrow.dashboard.forms.base import LinesField


class WidgetForm(forms.Form):
    """`theme()` gives the look as `widget_update` takes it."""

    is_enabled = forms.BooleanField(
        label=_("The widget is on"),
        required=False,
        help_text=_("Off: the chat disappears from every site at once."),
    )
    allowed_origins = LinesField(
        label=_("Sites that may show it"),
        help_text=_(
            "One a line, for example https://www.example.com. A site that is not listed here is "
            "refused; with an empty list the widget works nowhere."
        ),
    )
    title = forms.CharField(label=_("Title"), max_length=60, required=False)
    greeting_zh = forms.CharField(label=_("Greeting in Chinese"), max_length=300, required=False)
    greeting_en = forms.CharField(label=_("Greeting in English"), max_length=300, required=False)
    color = forms.RegexField(
        label=_("Colour"),
        regex=r"^#[0-9a-fA-F]{6}$",
        widget=forms.TextInput(attrs={"type": "color"}),
    )
    position = forms.ChoiceField(
        label=_("Corner"), choices=[("right", _("Bottom right")), ("left", _("Bottom left"))]
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("auto", _("The visitor's")), ("zh", _("Chinese")), ("en", _("English"))],
    )
    mode = forms.ChoiceField(
        label=_("Where it stands"),
        required=False,
        choices=[("bubble", _("A button in the corner")), ("inline", _("Inside the page"))],
    )
    scheme = forms.ChoiceField(
        label=_("Light or dark"),
        required=False,
        choices=[
            ("auto", _("As the visitor's device")),
            ("light", _("Light")),
            ("dark", _("Dark")),
        ],
    )
    sound = forms.ChoiceField(
        label=_("Sound for new messages"),
        required=False,
        choices=[("on", _("On")), ("off", _("Off"))],
    )
    notice_zh = forms.CharField(
        label=_("Notice in Chinese"),
        max_length=160,
        required=False,
        help_text=_(
            "Appears beside the button after a while, once for each visitor, for example a late harvest."
        ),
    )
    notice_en = forms.CharField(label=_("Notice in English"), max_length=160, required=False)
    notice_after = forms.IntegerField(
        label=_("Seconds until the notice appears"), required=False, min_value=1, max_value=600
    )
    identity = forms.ChoiceField(
        label=_("Customers who are signed in on your site"),
        required=False,
        choices=Widget.Identity.choices,
        help_text=_(
            "Your server says, signed, who its visitor is: then a customer finds the chat again on every device, "
            "and your people see the name."
        ),
    )
    messages_per_minute = forms.IntegerField(
        label=_("Messages a minute for one visitor"), min_value=1, max_value=120
    )
    messages_per_day = forms.IntegerField(
        label=_("Messages a day for one visitor"), min_value=1, max_value=10_000
    )

    THEME_FIELDS = (
        "title", "greeting_zh", "greeting_en", "color", "position", "language", "mode", "scheme", "sound",
        "notice_zh", "notice_en", "notice_after",
    )  # fmt: skip
    USUAL = {"mode": "bubble", "scheme": "auto", "sound": "on", "notice_after": "8"}

    def theme(self) -> dict[str, str]:
        return {
            name: str(self.cleaned_data[name] or self.USUAL.get(name, ""))
            for name in self.THEME_FIELDS
        }
