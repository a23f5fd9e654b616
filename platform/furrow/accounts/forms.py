"""Forms of a person's own settings."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from furrow.accounts.models import User


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = User
        fields = ["name", "language"]
        labels = {"name": _("Your name")}
        help_texts = {"name": _("Colleagues see it in the list of members and in the audit log.")}
