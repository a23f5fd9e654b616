"""Forms of the shop's pages: shape and type of what is typed in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.support.importing import cells
from apps.support.importing.wording import PROBLEMS
from apps.support.models import ClaimPhoto
from apps.support.models.claims import Reason
from apps.support.models.imports import ImportKind
from apps.support.models.orders import Platform

_MONEY: dict[str, Any] = {"max_digits": 10, "decimal_places": 2, "min_value": 0}
_WEIGHT: dict[str, Any] = {"max_digits": 8, "decimal_places": 3, "min_value": 0}


class SkuForm(forms.Form):
    code = forms.CharField(label=_("Product code"), max_length=60)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=120, required=False)
    name_en = forms.CharField(label=_("English name"), max_length=120, required=False)
    category = forms.CharField(
        label=_("Category"),
        max_length=60,
        required=False,
        help_text=_("Claim rules name it, for example peach."),
    )
    aliases = forms.CharField(
        label=_("Other names"),
        max_length=400,
        required=False,
        help_text=_("What customers call it, with commas between: kiwi, kiwi fruit"),
    )
    price = forms.DecimalField(label=_("Price"), required=False, **_MONEY)
    stock = forms.IntegerField(label=_("Stock"), required=False, min_value=0)
    net_weight_kg = forms.DecimalField(label=_("Net weight in kg"), required=False, **_WEIGHT)
    season = forms.CharField(
        label=_("Season"),
        max_length=40,
        required=False,
        help_text=_("For example 11/10–1/31, or all year"),
    )
    storage_zh = forms.CharField(label=_("Storage, Chinese"), max_length=400, required=False)
    storage_en = forms.CharField(label=_("Storage, English"), max_length=400, required=False)
    is_cold_chain = forms.BooleanField(label=_("Cold chain"), required=False)

    def __init__(self, *args: Any, has_code: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_code:
            del self.fields["code"]

    def clean_season(self) -> list[int] | None:
        text = self.cleaned_data["season"]
        try:
            return cells.season(text) if text else None
        except cells.BadCell as bad:
            raise forms.ValidationError(str(PROBLEMS[bad.code])) from None

    def clean_aliases(self) -> list[str]:
        return cells.words(self.cleaned_data["aliases"])


class ImportForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What is in the file"), choices=ImportKind.choices, widget=forms.RadioSelect
    )
    platform = forms.ChoiceField(
        label=_("From which shop"),
        choices=[("", _("Find out by itself")), *Platform.choices],
        required=False,
        help_text=_("For orders only."),
    )
    file = forms.FileField(label=_("File"), help_text=_("CSV or XLSX, up to 5 MB and 5,000 rows"))


class ClaimForm(forms.Form):
    reason = forms.ChoiceField(label=_("What is wrong"), choices=Reason.choices)
    sku_code = forms.ChoiceField(label=_("Which goods"), required=False)
    language = forms.ChoiceField(
        label=_("The customer reads"), choices=[("zh", "中文"), ("en", "English")]
    )

    def __init__(self, *args: Any, goods: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sku_code"].choices = [("", _("Not known")), *goods]  # type: ignore[attr-defined]


class ClaimFactsForm(forms.Form):
    """What the case needs; empty is unknown. There is no field for the offer."""

    paid = forms.DecimalField(label=_("Amount paid"), required=False, **_MONEY)
    freight = forms.DecimalField(label=_("Freight"), required=False, **_MONEY)
    net_kg = forms.DecimalField(label=_("Net weight in kg"), required=False, **_WEIGHT)
    bad_kg = forms.DecimalField(label=_("Weight of the bad fruit in kg"), required=False, **_WEIGHT)
    received_kg = forms.DecimalField(label=_("Weight received in kg"), required=False, **_WEIGHT)
    bad_count = forms.IntegerField(label=_("Bad or missing pieces"), required=False, min_value=0)
    total_count = forms.IntegerField(label=_("Pieces in all"), required=False, min_value=0)
    sugar = forms.DecimalField(label=_("Sugar reading"), required=False, **_WEIGHT)
    days_late = forms.IntegerField(label=_("Days late"), required=False, min_value=0)
    exclusions = forms.MultipleChoiceField(
        label=_("Does one of these apply?"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self, *args: Any, exclusions: list[tuple[str, str]], names: set[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["exclusions"].choices = exclusions  # type: ignore[attr-defined]
        for name in list(self.fields):
            if name not in names and not (name == "exclusions" and exclusions):
                del self.fields[name]


class PhotoForm(forms.Form):
    kind = forms.ChoiceField(label=_("What it shows"), choices=ClaimPhoto.Kind.choices)
    file = forms.FileField(
        label=_("Photo"), widget=forms.ClearableFileInput(attrs={"accept": "image/*"})
    )


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
