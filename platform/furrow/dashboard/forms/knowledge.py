"""Forms of knowledge bases, documents and the search test."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furrow.dashboard.forms.base import DateInput, ManyFilesField
from furrow.dashboard.search_words import SEARCH_MODES

LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]


class KnowledgeBaseForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"placeholder": _("for example: Shop handbook")}),
    )
    language = forms.ChoiceField(label=_("Main language of the documents"), choices=LANGUAGES)
    description = forms.CharField(
        label=_("What is in it"),
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ValidityForm(forms.Form):
    valid_from = forms.DateField(
        label=_("Valid from"),
        required=False,
        widget=DateInput(),
        help_text=_("Before this day it is not used in answers."),
    )
    valid_to = forms.DateField(
        label=_("Valid to"),
        required=False,
        widget=DateInput(),
        help_text=_("After this day it is no longer used, for example a promotion."),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if (
            data.get("valid_from")
            and data.get("valid_to")
            and data["valid_to"] < data["valid_from"]
        ):
            self.add_error("valid_to", _("The last day lies before the first."))
        return data


class UploadForm(forms.Form):
    # Every form has an attribute `files` too, but fields are taken out of the class.
    files = ManyFilesField(label=_("Files"))  # type: ignore[assignment]


class UrlForm(forms.Form):
    url = forms.URLField(
        label=_("Address of the page"),
        max_length=2000,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    title = forms.CharField(
        label=_("Title"),
        max_length=300,
        required=False,
        help_text=_("Empty: the page's own title is used."),
    )


class TextForm(ValidityForm):
    title = forms.CharField(label=_("Title"), max_length=300)
    text = forms.CharField(
        label=_("Text"), max_length=500_000, widget=forms.Textarea(attrs={"rows": 10})
    )
    field_order = ["title", "text", "valid_from", "valid_to"]


class DocumentForm(ValidityForm):
    title = forms.CharField(label=_("Title"), max_length=300)
    field_order = ["title", "valid_from", "valid_to"]


class VersionForm(forms.Form):
    file = forms.FileField(label=_("New file"))


class SearchForm(forms.Form):
    """The search test; its values are read from the address, so a result can be shared as a link."""

    q = forms.CharField(
        label=_("Question or words"),
        max_length=400,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    base = forms.ChoiceField(label=_("Where"), required=False)
    mode = forms.ChoiceField(
        label=_("How"),
        required=False,
        choices=list(SEARCH_MODES.items()),
    )
    limit = forms.TypedChoiceField(
        label=_("How many"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[(5, "5"), (8, "8"), (15, "15"), (20, "20")],
        initial=8,
    )
    valid_on = forms.DateField(
        label=_("On which day"),
        required=False,
        widget=DateInput(),
        help_text=_("Documents must be valid then. Leave it empty for today."),
    )

    def __init__(self, *args: Any, bases: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("All knowledge bases")), *((str(b.id), b.name) for b in bases)]
        self.fields["base"].choices = choices  # type: ignore[attr-defined]


class ApplyForm(forms.Form):
    """Settings of a search test on their way to an assistant."""

    assistant = forms.UUIDField()
    mode = forms.ChoiceField(choices=[(mode, mode) for mode in ("hybrid", "lexical", "vector")])
    limit = forms.IntegerField(min_value=1, max_value=20)
