"""What an assistant is at the moment it answers: one frozen value, made from the draft or a version.

`settings` of an assistant are partial; what is missing comes from its template, then from the defaults.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from furrow.assistants.models import DEFAULT_RUNGS, Assistant, AssistantVersion
from furrow.assistants.templates import template_get
from furrow.core.errors import Invalid

LANGUAGES = ("zh", "en")
MODEL_LENGTH = 160
SEARCH_MODES = ("hybrid", "lexical", "vector")
# Measured by tests/bench/quoted_demo.py: 0.3 refuses every out-of-scope question, a little more is for others.
DEFAULT_THRESHOLD = 0.35
_DEFAULTS: dict[str, Any] = {
    "language": "zh-hans",
    "threshold": DEFAULT_THRESHOLD,
    "greeting": {
        "zh": "您好！有什么可以帮您？",
        "en": "Hello! What can I do for you?",
    },
    "suggestions": {"zh": [], "en": []},
    "human": {"enabled": True, "contact": "", "hours": ""},
    "quote_limit": 3,
    # Off until the owner says otherwise: connecting a model must make nobody spend.
    "composed": {
        "enabled": False,
        "model": "",
        "length": "medium",
        "max_tokens": 600,
        "model_check": False,
        "thinking": False,
    },
    "search": {"mode": "hybrid", "limit": 8},
}


@dataclass(frozen=True)
class HumanConfig:
    """`contact` and `hours` are shown as the owner wrote them; empty ones are left out."""

    enabled: bool
    contact: str
    hours: str


@dataclass(frozen=True)
class ComposedConfig:
    """Whether and how the model writes. `max_tokens` is the most one answer may use, thoughts included; an empty
    `model` is the one the server is set up with.
    """

    enabled: bool
    model: str
    length: Literal["short", "medium", "long"]
    max_tokens: int
    model_check: bool
    thinking: bool


@dataclass(frozen=True)
class SearchConfig:
    mode: Literal["hybrid", "lexical", "vector"]
    limit: int


@dataclass(frozen=True)
class AssistantConfig:
    """`rungs` always begin with `greeting` and end with `human`: a person stays within reach, and "I do not
    know" is an answer somebody has to give. `threshold` is the confidence a quote needs.
    """

    assistant_id: UUID
    name: str
    language: str
    knowledge_base_ids: tuple[UUID, ...]
    instructions: str
    rungs: tuple[str, ...]
    threshold: float
    greeting: Mapping[str, str]
    suggestions: Mapping[str, tuple[str, ...]]
    human: HumanConfig
    quote_limit: int
    composed: ComposedConfig
    search: SearchConfig

    @classmethod
    def of_draft(cls, assistant: Assistant) -> "AssistantConfig":
        return cls.of_json(assistant.id, draft_json(assistant))

    @classmethod
    def of_version(cls, version: AssistantVersion) -> "AssistantConfig":
        return cls.of_json(version.assistant_id, version.config)

    @classmethod
    def of_json(cls, assistant_id: UUID, data: Mapping[str, Any]) -> "AssistantConfig":
        values = settings_filled(data["settings"], template=data["template"])
        return cls(
            assistant_id=assistant_id,
            name=data["name"],
            language=values["language"],
            knowledge_base_ids=tuple(UUID(base) for base in data["knowledge_base_ids"]),
            instructions=data["instructions"],
            rungs=rungs_in_order(data["rungs"]),
            threshold=values["threshold"],
            greeting=values["greeting"],
            suggestions={key: tuple(value) for key, value in values["suggestions"].items()},
            human=HumanConfig(**values["human"]),
            quote_limit=values["quote_limit"],
            composed=ComposedConfig(**values["composed"]),
            search=SearchConfig(**values["search"]),
        )


def draft_json(assistant: Assistant) -> dict[str, Any]:
    """The draft as JSON, which publishing freezes. Settings are filled, so that a later change of a template
    does not reach what is published.
    """
    bases = assistant.knowledge_bases.filter(deleted_at=None).order_by("created_at")
    return {
        "name": assistant.name,
        "template": assistant.template,
        "instructions": assistant.instructions,
        "rungs": list(assistant.rungs),
        "knowledge_base_ids": [str(base_id) for base_id in bases.values_list("id", flat=True)],
        "settings": settings_filled(assistant.settings, template=assistant.template),
    }


def rungs_in_order(names: list[str]) -> tuple[str, ...]:
    between = [name for name in names or DEFAULT_RUNGS if name not in {"greeting", "human"}]
    return ("greeting", *between, "human")


def rungs_with_writing(names: list[str]) -> list[str]:
    """The ladder with `composed` in it, by default before the quotes."""
    if "composed" in names:
        return names
    rest = rungs_in_order(names)
    at = rest.index("quoted") if "quoted" in rest else len(rest) - 1
    return [*rest[:at], "composed", *rest[at:]]


def settings_filled(settings: Mapping[str, Any], *, template: str) -> dict[str, Any]:
    """Complete settings: defaults, over them the template's, over them the given ones."""
    known = template_get(template)
    layers = [_DEFAULTS, known.settings if known else {}, settings]
    filled: dict[str, Any] = {}
    for key, default in _DEFAULTS.items():
        if isinstance(default, dict):
            filled[key] = {k: v for layer in layers for k, v in layer.get(key, {}).items()}
        else:
            filled[key] = next(layer[key] for layer in reversed(layers) if key in layer)
    return filled


def _text(cap: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        return "" if isinstance(value, str) and len(value) <= cap else f"a text of up to {cap}"

    return check


def _number(low: float, high: float, *, whole: bool) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        kinds = (int,) if whole else (int, float)
        is_number = isinstance(value, kinds) and not isinstance(value, bool)
        kind = "a whole number" if whole else "a number"
        return "" if is_number and low <= value <= high else f"{kind} from {low:g} to {high:g}"

    return check


def _one_of(*choices: str) -> Callable[[Any], str]:
    return lambda value: "" if value in choices else f"one of {', '.join(choices)}"


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _questions(value: Any) -> str:
    check = _text(120)
    fits = isinstance(value, list) and len(value) <= 6 and not any(check(item) for item in value)
    return "" if fits else "a list of up to 6 questions of up to 120 characters"


_SCHEMA: dict[str, Any] = {
    "language": _one_of("zh-hans", "en"),
    "threshold": _number(0, 1, whole=False),
    "greeting": dict.fromkeys(LANGUAGES, _text(500)),
    "suggestions": dict.fromkeys(LANGUAGES, _questions),
    "human": {"enabled": _flag, "contact": _text(200), "hours": _text(200)},
    "quote_limit": _number(1, 6, whole=True),
    "composed": {
        "enabled": _flag,
        "model": _text(MODEL_LENGTH),
        "length": _one_of("short", "medium", "long"),
        "max_tokens": _number(64, 4000, whole=True),
        "model_check": _flag,
        "thinking": _flag,
    },
    "search": {"mode": _one_of(*SEARCH_MODES), "limit": _number(1, 20, whole=True)},
}


def settings_check(settings: Any) -> dict[str, Any]:
    """The settings themselves when they fit; raises `Invalid` with `details["fields"]` naming every misfit."""
    problems: dict[str, str] = {}
    _check(settings, _SCHEMA, "", problems)
    if problems:
        first, needed = next(iter(problems.items()))
        name = f"settings.{first}" if first else "settings"
        raise Invalid(f"{name} must be {needed}.", code="settings_invalid", fields=problems)
    checked: dict[str, Any] = settings
    return checked


def _check(value: Any, schema: Any, path: str, problems: dict[str, str]) -> None:
    if not isinstance(schema, dict):
        if needed := schema(value):
            problems[path] = needed
        return
    if not isinstance(value, dict):
        problems[path] = "an object"
        return
    for key, inner in value.items():
        inner_path = f"{path}.{key}" if path else str(key)
        if key in schema:
            _check(inner, schema[key], inner_path, problems)
        else:
            problems[inner_path] = f"left out: only {', '.join(schema)} exist here"
