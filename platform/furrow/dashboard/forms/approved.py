"""The form of an approved answer."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from furrow.conversations.wordings import Wording
from furrow.dashboard.forms.base import DateInput, LinesField


class ApprovedAnswerForm(forms.Form):
    question = forms.CharField(label=_("Question"), max_length=500)
    answer = forms.CharField(
        label=_("Answer"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )
    variants = LinesField(
        label=_("Other ways to ask it"),
        rows=5,
        help_text=_("One a line, in any language; paste as many as you like, up to 50."),
    )
    asked = forms.MultipleChoiceField(
        label=_("Visitors asked it like this"),
        required=False,
        widget=forms.CheckboxSelectMultiple(),
        help_text=_("Tick what means the same: from then on it gets this answer at once."),
    )
    valid_from = forms.DateField(label=_("Valid from"), required=False, widget=DateInput())
    valid_to = forms.DateField(label=_("Valid to"), required=False, widget=DateInput())

    def __init__(self, *args: Any, wordings: Sequence[Wording] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if wordings:
            self.fields["asked"].choices = [(each.text, _asked(each)) for each in wordings]  # type: ignore[attr-defined]
            self.initial["asked"] = [each.text for each in wordings if each.is_chosen]
        else:
            del self.fields["asked"]


def _asked(wording: Wording) -> str:
    if wording.is_chosen:
        return _now("%(text)s (then chose your question)") % {"text": wording.text}
    return wording.text
