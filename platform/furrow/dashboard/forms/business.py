"""Forms of members, API keys, the business itself, and accepting an invitation."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from furrow.accounts.models import User
from furrow.core.extensions import extensions
from furrow.tenants.models import SCOPES, Role

ROLE_WORDS = {
    Role.OWNER: _("Everything, also the business settings and other owners."),
    Role.ADMIN: _("Knowledge, assistants, members and keys."),
    Role.STAFF: _("Reads everything and answers tickets."),
    Role.VIEWER: _("Only looks."),
}
SCOPE_WORDS = {
    "knowledge:read": _("Read documents and search"),
    "knowledge:write": _("Add, change and delete documents"),
    "assistants:read": _("Read assistants"),
    "assistants:write": _("Change and publish assistants"),
    "conversations:read": _("Read conversations"),
    "conversations:write": _("Ask questions"),
    "models:use": _("Ask the models directly"),
    "usage:read": _("Read usage and cost"),
    "usage:write": _("Change budgets"),
    "webhooks:read": _("Read where messages are sent"),
    "webhooks:write": _("Change where messages are sent"),
}
LIFETIMES = [(30, _("30 days")), (90, _("90 days")), (365, _("One year")), (0, _("No end"))]


def _described(name: object, description: object) -> Any:
    return format_html("<strong>{}</strong><span>{}</span>", name, description)


class InvitationForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect, initial=Role.STAFF)

    def __init__(self, *args: Any, can_make_owner: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role.value, _described(role.label, words))
            for role, words in ROLE_WORDS.items()
            if can_make_owner or role != Role.OWNER
        ]


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class ApiKeyForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("Where it is used, so that you know which one to revoke."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        initial=["knowledge:read", "conversations:write"],
    )
    days = forms.TypedChoiceField(label=_("Good for"), choices=LIFETIMES, coerce=int, initial=90)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (scope, _described(SCOPE_WORDS[scope], scope)) for scope in SCOPES
        ]


class BusinessForm(forms.Form):
    name = forms.CharField(label=_("Name of the business"), max_length=120)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    trades = forms.MultipleChoiceField(
        label=_("What this business works with"),
        choices=lambda: list(extensions.trades.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The rest leaves the menu. Nothing is deleted."),
    )


class JoinForm(forms.Form):
    """A new person's name and password, when an invitation is accepted without an account."""

    name = forms.CharField(label=_("Your name"), max_length=120)
    password = forms.CharField(
        label=_("Choose a password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters."),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email))
        return password


class TicketCloseForm(forms.Form):
    resolution = forms.CharField(
        label=_("What was done"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
