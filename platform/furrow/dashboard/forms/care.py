"""Forms of the pages that look after the knowledge."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _


class SynonymsForm(forms.Form):
    words = forms.CharField(
        label=_("Words that mean the same"),
        max_length=1500,
        widget=forms.TextInput(attrs={"placeholder": _("for example: red robe, CB-01, Big Red")}),
        help_text=_("Separated by commas. Names and codes your customers use for one thing."),
    )

    def clean_words(self) -> list[str]:
        return [
            word for word in re.split(r"[,，、;；\n]", self.cleaned_data["words"]) if word.strip()
        ]
