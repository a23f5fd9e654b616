"""Forms of golden questions, comparisons and publications that were blocked."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from furrow.assistants.config import SEARCH_MODES
from furrow.assistants.evaluation.models import GoldenQuestion
from furrow.core.extensions import extensions
from furrow.dashboard import wording
from furrow.dashboard.forms.base import LinesField

_MODES = {
    "hybrid": _("Words and meaning"),
    "lexical": _("Words"),
    "vector": _("Meaning"),
}


class GoldenForm(forms.Form):
    """`expected()` gives what `golden_create` and `golden_update` take."""

    question = forms.CharField(label=_("Question"), max_length=500)
    expects = forms.ChoiceField(
        label=_("What must come"), choices=GoldenQuestion.Expects.choices, widget=forms.RadioSelect
    )
    facts = LinesField(
        label=_("What the answer must say"),
        help_text=_(
            "One fact a line, for example: 12 yuan. Other wordings of the same fact on the same line, set "
            "apart by |. Width, traditional characters and ways of writing numbers do not matter."
        ),
    )
    forbidden = LinesField(
        label=_("What it must never say"), help_text=_("One a line; may be left empty."), rows=2
    )
    document_id = forms.ChoiceField(label=_("Document it must quote"), required=False)
    page = forms.IntegerField(label=_("Page"), required=False, min_value=1, max_value=100_000)
    rung = forms.ChoiceField(label=_("Which step must answer"), required=False)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)
    is_enabled = forms.BooleanField(
        label=_("Ask it"), required=False, help_text=_("Off: it is kept, but not asked.")
    )

    def __init__(self, *args: Any, documents: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        anything = [("", _("Does not matter"))]
        titles = [(str(document.id), document.title) for document in documents]
        steps = [(name, wording.rung_name(name)) for name in extensions.rungs if name != "human"]
        self.fields["document_id"].choices = anything + titles  # type: ignore[attr-defined]
        self.fields["rung"].choices = anything + steps  # type: ignore[attr-defined]

    def expected(self) -> dict[str, Any]:
        data = self.cleaned_data
        facts = [
            [part.strip() for part in line.split("|") if part.strip()] for line in data["facts"]
        ]
        return {
            **data,
            "facts": facts,
            "document_id": UUID(data["document_id"]) if data["document_id"] else None,
        }


def golden_initial(row: GoldenQuestion) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in GoldenForm.base_fields}
    return {
        **fields,
        "facts": [" | ".join(wordings) for wordings in row.facts],
        "document_id": str(row.document_id or ""),
    }


class GoldenImportForm(forms.Form):
    file = forms.FileField(
        label=_("Table (CSV)"),
        help_text=_(
            "First line: question, expects, facts, forbidden, document, page. Several facts are set apart by ; "
            "and wordings of one by |. A table saved by Excel or WPS will do."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )


class OverrideForm(forms.Form):
    override_reason = forms.CharField(
        label=_("Why it is published all the same"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Written into the audit log."),
    )


# No model is named so: a side that quotes, for comparing with one that writes.
NO_MODEL = "-"


class CompareForm(forms.Form):
    """Two sides by their version, each with settings that are only tried. `choices(side)` gives one."""

    a = forms.ChoiceField(label=_("Version"))
    b = forms.ChoiceField(label=_("Version"))
    a_threshold = forms.FloatField(
        label=_("How sure it must be"), min_value=0, max_value=1, required=False
    )
    b_threshold = forms.FloatField(
        label=_("How sure it must be"), min_value=0, max_value=1, required=False
    )
    a_mode = forms.ChoiceField(label=_("Search by"), required=False)
    b_mode = forms.ChoiceField(label=_("Search by"), required=False)
    a_model = forms.ChoiceField(label=_("Written by"), required=False)
    b_model = forms.ChoiceField(label=_("Written by"), required=False)
    question = forms.CharField(
        label=_("Only this question"),
        max_length=500,
        required=False,
        help_text=_("Left empty, every golden question is asked."),
    )

    def __init__(self, *args: Any, versions: list[Any], models: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sides: list[tuple[str, Any]] = [("", _("Draft"))]
        sides += [(str(v.number), _("Version %(n)s") % {"n": v.number}) for v in versions]
        modes = [("", _("as saved")), *((mode, _MODES[mode]) for mode in SEARCH_MODES)]
        writers = [
            ("", _("as saved")),
            *((name, name) for name in models),
            (NO_MODEL, _("no model")),
        ]
        for side in ("a", "b"):
            if models:
                self.fields[f"{side}_model"].choices = writers  # type: ignore[attr-defined]
            else:
                del self.fields[f"{side}_model"]
            self.fields[side].choices = sides  # type: ignore[attr-defined]
            self.fields[side].required = False
            self.fields[f"{side}_mode"].choices = modes  # type: ignore[attr-defined]
            threshold = self.fields[f"{side}_threshold"]
            threshold.widget.attrs |= {"step": "0.05", "placeholder": str(_("as saved"))}

    def side(self, name: str) -> dict[str, Any]:
        """`version` and `settings`, as `Choice` takes them."""
        data = self.cleaned_data
        settings: dict[str, Any] = {}
        if data[f"{name}_threshold"] is not None:
            settings["threshold"] = data[f"{name}_threshold"]
        if data[f"{name}_mode"]:
            settings["search"] = {"mode": data[f"{name}_mode"]}
        if model := data.get(f"{name}_model"):
            is_written = model != NO_MODEL
            settings["composed"] = {"enabled": is_written, "model": model if is_written else ""}
        return {"version": int(data[name]) if data[name] else None, "settings": settings}
