"""Forms of assistants and what they say."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from furrow.assistants.config import AssistantConfig
from furrow.assistants.models import Assistant
from furrow.assistants.templates import templates_list
from furrow.core.extensions import extensions
from furrow.dashboard import wording
from furrow.dashboard.forms.base import LinesField
from furrow.gateway.chat import chat_is_configured

# These two stand at the ends of every ladder and cannot be taken out.
FIXED_RUNGS = {"greeting", "human"}


def _described(name: str, description: object) -> SafeString:
    return format_html("<strong>{}</strong><span>{}</span>", name, description)


class AssistantCreateForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("Visitors see it at the top of the chat."),
    )
    template = forms.ChoiceField(label=_("Start from"), widget=forms.RadioSelect)
    knowledge_base_ids = forms.MultipleChoiceField(
        label=_("Knowledge it may use"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, bases: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        templates = [(t.key, _described(str(t.name), t.description)) for t in templates_list()]
        self.fields["template"].choices = templates  # type: ignore[attr-defined]
        self.fields["template"].initial = "general"
        self.fields["knowledge_base_ids"].choices = [(str(b.id), b.name) for b in bases]  # type: ignore[attr-defined]
        self.fields["knowledge_base_ids"].initial = [str(b.id) for b in bases]


class AssistantForm(forms.Form):
    """The draft. `settings()` and `rungs()` give what `assistant_update` takes."""

    name = forms.CharField(label=_("Name"), max_length=120)
    greeting_zh = forms.CharField(
        label=_("Greeting in Chinese"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    greeting_en = forms.CharField(
        label=_("Greeting in English"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    suggestions_zh = LinesField(
        label=_("Example questions in Chinese"), help_text=_("One a line, up to six.")
    )
    suggestions_en = LinesField(
        label=_("Example questions in English"), help_text=_("One a line, up to six.")
    )
    knowledge_base_ids = forms.MultipleChoiceField(
        label=_("Knowledge it may use"), required=False, widget=forms.CheckboxSelectMultiple
    )
    instructions = forms.CharField(
        label=_("Instructions"),
        max_length=8000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Tone and rules for the language model, when one is connected."),
    )
    composed_length = forms.ChoiceField(
        label=_("Length of a written answer"),
        required=False,
        choices=[
            ("short", _("Short: one or two sentences")),
            ("medium", _("Medium: two to four sentences")),
            ("long", _("Long: up to eight sentences")),
        ],
    )
    composed_max_tokens = forms.IntegerField(
        label=_("At most this many tokens an answer"),
        required=False,
        min_value=64,
        max_value=4000,
        help_text=_("Thoughts count too. An answer that reaches the limit ends early."),
    )
    composed_model = forms.ChoiceField(label=_("Written by"), required=False)
    composed_model_check = forms.BooleanField(
        label=_("Let the model look twice"),
        required=False,
        help_text=_(
            "Asks it about each sentence the rules are unsure of. Costs a few tokens each time."
        ),
    )
    composed_thinking = forms.BooleanField(
        label=_("Let the model think first"),
        required=False,
        help_text=_("Slower and dearer; only you see the thoughts."),
    )
    rungs = forms.MultipleChoiceField(
        label=_("How it may answer"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "The assistant tries these from top to bottom. If none can answer, it says so and "
            "offers a person."
        ),
    )
    threshold = forms.FloatField(
        label=_("How sure it must be"),
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs={"type": "range", "step": "0.05", "min": "0", "max": "1"}),
    )
    human_enabled = forms.BooleanField(
        label=_("Visitors can ask for a person"),
        required=False,
        help_text=_("Their request becomes a ticket with the whole conversation."),
    )
    human_contact = forms.CharField(
        label=_("How else to reach you"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Phone, WeChat, e-mail")}),
    )
    human_hours = forms.CharField(label=_("Office hours"), max_length=200, required=False)

    def __init__(
        self, data: Any, *, assistant: Assistant, bases: list[Any], models: Sequence[str] = ()
    ) -> None:
        """`models` are those that are open to the business."""
        self.assistant = assistant
        super().__init__(data, initial=self._initial(assistant))
        self.fields["composed_model"].choices = self._model_choices(models)  # type: ignore[attr-defined]
        self.fields["knowledge_base_ids"].choices = [(str(b.id), b.name) for b in bases]  # type: ignore[attr-defined]
        names = [name for name in self._rung_order() if name not in FIXED_RUNGS]
        self.fields["rungs"].choices = [  # type: ignore[attr-defined]
            (name, _described(wording.rung_name(name), wording.rung_description(name)))
            for name in names
        ]

    def _initial(self, assistant: Assistant) -> dict[str, Any]:
        config = AssistantConfig.of_draft(assistant)
        return {
            "name": config.name,
            "greeting_zh": config.greeting["zh"],
            "greeting_en": config.greeting["en"],
            "suggestions_zh": list(config.suggestions["zh"]),
            "suggestions_en": list(config.suggestions["en"]),
            "knowledge_base_ids": [str(base_id) for base_id in config.knowledge_base_ids],
            "instructions": config.instructions,
            "rungs": [name for name in config.rungs if _is_on(name, config)],
            "threshold": config.threshold,
            "composed_length": config.composed.length,
            "composed_max_tokens": config.composed.max_tokens,
            "composed_model": config.composed.model,
            "composed_model_check": config.composed.model_check,
            "composed_thinking": config.composed.thinking,
            "human_enabled": config.human.enabled,
            "human_contact": config.human.contact,
            "human_hours": config.human.hours,
        }

    def _model_choices(self, models: Sequence[str]) -> list[tuple[str, str]]:
        """What was chosen stays to be seen when it is no longer open."""
        chosen = self.initial["composed_model"]
        found = [("", _now("The usual model of this server")), *((name, name) for name in models)]
        if chosen and chosen not in models:
            found.append((chosen, _now("%(model)s (not open to you any more)") % {"model": chosen}))
        return found

    def _chosen_model(self) -> str:
        """A form without the field leaves it as it was."""
        is_asked = self.add_prefix("composed_model") in self.data
        return str((self.cleaned_data if is_asked else self.initial)["composed_model"])

    def _rung_order(self) -> list[str]:
        """The assistant's own order; what is installed but switched off stands in its usual place."""
        order = list(AssistantConfig.of_draft(self.assistant).rungs)
        known = [name for name in wording.RUNGS if name in extensions.rungs]
        for name in [*known, *extensions.rungs]:
            if name not in order:
                order.insert(_usual_place(name, order, known), name)
        return order

    def settings(self) -> dict[str, Any]:
        """The draft's settings with the form's values over them."""
        data = self.cleaned_data
        return {
            **self.assistant.settings,
            "greeting": {"zh": data["greeting_zh"], "en": data["greeting_en"]},
            "suggestions": {"zh": data["suggestions_zh"], "en": data["suggestions_en"]},
            "threshold": data["threshold"],
            "composed": {
                "enabled": "composed" in data["rungs"],
                "model": self._chosen_model(),
                "length": data["composed_length"] or self.initial["composed_length"],
                "max_tokens": data["composed_max_tokens"] or self.initial["composed_max_tokens"],
                "model_check": data["composed_model_check"],
                "thinking": data["composed_thinking"],
            },
            "human": {
                "enabled": data["human_enabled"],
                "contact": data["human_contact"],
                "hours": data["human_hours"],
            },
        }

    @property
    def has_model(self) -> bool:
        return chat_is_configured()

    def chosen_rungs(self) -> list[str]:
        """In the ladder's order. Never empty, because an empty list means the default ladder."""
        chosen = set(self.cleaned_data["rungs"]) | FIXED_RUNGS
        return [name for name in self._rung_order() if name in chosen]


def _is_on(name: str, config: AssistantConfig) -> bool:
    """The model writes only where the owner wished it, whatever the ladder was made with."""
    if name == "composed":
        return config.composed.enabled
    return name not in FIXED_RUNGS


def _usual_place(name: str, order: list[str], known: list[str]) -> int:
    """Before the next step of the usual order that is there, so before the person at the latest."""
    later = known[known.index(name) + 1 :] if name in known else ["human"]
    return next((order.index(each) for each in later if each in order), len(order))


def threshold_words() -> list[str]:
    """What the slider's thirds and ends mean, from left to right."""
    return [
        _now("Answers almost always, also when the passage fits only loosely."),
        _now("Answers readily; now and then a passage is beside the point."),
        _now("Balanced: answers when a passage fits, otherwise says it does not know."),
        _now("Careful: prefers to say it does not know."),
        _now("Answers only when a passage fits almost word for word."),
    ]


class PublishForm(forms.Form):
    note = forms.CharField(
        label=_("What changed"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("for example: new shipping rules")}),
    )
