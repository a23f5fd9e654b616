"""Forms of the contract pages: shape and type of what is typed in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.contracts.models import Kind, Level, RuleKind, Side, Strength
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.services.contracts import ENDINGS

_ACCEPT = ",".join(f".{ending}" for ending in ENDINGS)
_KINDS = [("", _("Any kind")), *Kind.choices]
_UNITS = [
    ("percent", _("Percent")),
    ("money", _("Money")),
    ("days", _("Days")),
    ("months", _("Months")),
]


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        widget=forms.ClearableFileInput(attrs={"accept": _ACCEPT}),
        help_text=_("Word (.docx), PDF, a scan or photo, or plain text"),
    )


class UploadForm(FileForm):
    title = forms.CharField(
        label=_("Title"),
        max_length=300,
        required=False,
        help_text=_("Empty: the name of the file"),
    )


class StartForm(forms.Form):
    """The rules themselves stand beside it, each with its tick and its level."""

    playbook = forms.ChoiceField(label=_("Playbook"), required=False)
    side = forms.ChoiceField(label=_("Whose side are you on?"), choices=Side.choices)
    strength = forms.ChoiceField(label=_("How strict"), choices=Strength.choices)
    with_checks = forms.BooleanField(
        label=_("Built-in checks"),
        required=False,
        help_text=_("Sums, dates, names, blanks, references and limits of the law"),
    )
    with_model = forms.BooleanField(
        label=_("Ask the language model too"),
        required=False,
        help_text=_("Rules that words alone cannot settle; every finding quotes the contract"),
    )

    def __init__(
        self,
        *args: Any,
        playbooks: list[tuple[str, str]],
        sides: dict[str, str],
        has_model: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if not has_model:
            del self.fields["with_model"]
        choices = [("", _("No playbook, only the built-in checks")), *playbooks]
        self.fields["playbook"].choices = choices  # type: ignore[attr-defined]
        self.fields["side"].choices = [  # type: ignore[attr-defined]
            (value, sides.get(value, label)) for value, label in Side.choices
        ]


class QuestionForm(forms.Form):
    text = forms.CharField(
        label=_("Your question"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    contracts = forms.MultipleChoiceField(label=_("Contracts"), required=False)
    with_model = forms.BooleanField(
        label=_("Let the language model word the answer"),
        required=False,
        help_text=_("Costs a little for each contract; every line keeps its quote"),
    )

    def __init__(
        self, *args: Any, contracts: list[tuple[str, str]], has_model: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contracts"].choices = contracts  # type: ignore[attr-defined]
        if not has_model:
            del self.fields["with_model"]


class PlaybookForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("For"), choices=_KINDS, required=False)


class RuleForm(forms.Form):
    """One rule in plain words, in the language of the page."""

    name = forms.CharField(
        label=_("The rule in plain words"),
        max_length=200,
        help_text=_("For example: the rent-free period is at most three months"),
    )
    check_kind = forms.ChoiceField(label=_("What is checked"), choices=RuleKind.choices)
    side = forms.ChoiceField(label=_("In the interest of"), choices=Side.choices)
    level = forms.ChoiceField(label=_("Risk when broken"), choices=Level.choices)
    words = forms.CharField(
        label=_("Phrases to look for"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line. Three dots leave room: payment…within"),
    )
    unless = forms.CharField(
        label=_("Leave sentences alone that also say"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        help_text=_("One a line"),
    )
    unit = forms.ChoiceField(
        label=_("What is counted"),
        choices=_UNITS,
        required=False,
        help_text=_("For limits and ranges"),
    )
    min = forms.DecimalField(label=_("At least"), required=False, min_value=0)
    max = forms.DecimalField(label=_("At most"), required=False, min_value=0)
    fallback = forms.CharField(
        label=_("Our wording"),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
        max_length=4000,
        help_text=_("Put in where it is missing, or instead of what should not be there"),
    )
    note = forms.CharField(
        label=_("Note for people"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        max_length=4000,
        help_text=_(
            "Why the rule is there and how far we may give way. Never put into the contract"
        ),
    )
    statutes = forms.CharField(
        label=_("Basis"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        help_text=_("One a line: the name of the law, a space, the article as the law counts it"),
    )

    def clean_words(self) -> list[str]:
        return _lines(self.cleaned_data["words"])

    def clean_unless(self) -> list[str]:
        return _lines(self.cleaned_data["unless"])

    def clean_statutes(self) -> list[dict[str, str]]:
        found = []
        for line in _lines(self.cleaned_data["statutes"]):
            law, _space, article = line.replace("　", " ").rpartition(" ")
            if not law:
                raise forms.ValidationError(_("Write the law, a space and the article."))
            found.append({"law": law.strip()[:200], "article": article.strip()[:40]})
        return found

    @classmethod
    def initial_of(cls, rule: RuleSpec, language: str) -> dict[str, Any]:
        terms = rule.terms
        return {
            "name": rule.name_in(language),
            "check_kind": rule.check_kind,
            "side": rule.side,
            "level": rule.level,
            "words": "\n".join(terms.get("words", ())),
            "unless": "\n".join(terms.get("unless", ())),
            "unit": terms.get("unit", ""),
            "min": terms.get("min"),
            "max": terms.get("max"),
            "fallback": rule.fallback.get(language, ""),
            "note": rule.note.get(language, ""),
            "statutes": "\n".join(f"{s['law']} {s['article']}" for s in rule.statutes),
        }

    def spec(self, key: str, language: str, before: RuleSpec | None = None) -> RuleSpec:
        """What is not on the form, as the other language's words, stays as it was."""
        data = self.cleaned_data
        terms = dict(before.terms) if before else {}
        terms |= {"words": data["words"], "unless": data["unless"]}
        for name in ("unit", "min", "max"):
            terms.pop(name, None)
        if data["check_kind"] in {RuleKind.THRESHOLD, RuleKind.NUMERIC}:
            terms["unit"] = data["unit"]
            terms |= {n: str(data[n]) for n in ("min", "max") if data[n] is not None}

        def both(name: str) -> dict[str, str]:
            kept = dict(getattr(before, name)) if before else {}
            return {**kept, language: data[name].strip()}

        return RuleSpec(
            key=key,
            check_kind=data["check_kind"],
            level=data["level"],
            name=both("name"),
            side=data["side"],
            note=both("note"),
            fallback=both("fallback"),
            terms=terms,
            statutes=tuple(data["statutes"]),
        )


def _lines(text: str) -> list[str]:
    return [line.strip()[:120] for line in text.splitlines() if line.strip()][:60]
