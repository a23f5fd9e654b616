"""Small tags of the design system."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms, template
from django.contrib.messages.storage.base import Message
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from furrow.dashboard import audit_words, finding_words, search_words, wording

register = template.Library()

_WORDS_SHOWN = 12

UNDO_TAG = "undo:"
_MARK = re.compile(r"(\[\d{1,3}\])")


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def go(context: template.Context, name: str, *args: Any) -> str:
    """The address of a dashboard page of the tenant at hand."""
    return reverse(f"dashboard:{name}", args=[context["request"].tenant.slug, *args])


@register.inclusion_tag("components/field.html")
def field(field: BoundField) -> dict[str, Any]:
    """A label, the control, its help and errors. "optional" is said where nothing else tells it."""
    widget = field.field.widget
    is_text = isinstance(widget, forms.TextInput | forms.Textarea)
    return {
        "field": field,
        "is_optional": is_text and not field.field.required and not field.help_text,
        "is_checkbox": isinstance(widget, forms.CheckboxInput),
        "is_group": isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple),
    }


@register.inclusion_tag("components/progress_ring.html")
def ring(done: int, total: int) -> dict[str, Any]:
    label = _("%(done)s of %(total)s steps done") % {"done": done, "total": total}
    percent = round(100 * done / total) if total else 0
    return {"done": done, "total": total, "percent": percent, "label": label}


@register.inclusion_tag("components/badge.html")
def badge(value: str, label: str = "") -> dict[str, Any]:
    """The coloured name of a state; `label` replaces the usual word."""
    return {"tone": wording.tone(value), "label": label or wording.state(value)}


@register.inclusion_tag("components/badge.html")
def validity_badge(dated: Any) -> dict[str, Any]:
    """Whether something with dates counts today, and for how long; says nothing of what is far away."""
    tone, label = wording.validity(dated.valid_from, dated.valid_to, timezone.localdate())
    return {"tone": tone, "label": label}


@register.filter
def undo_url(message: Message) -> str:
    """The address that undoes what the message reports, empty when there is none."""
    tags = (message.extra_tags or "").split()
    return next((tag.removeprefix(UNDO_TAG) for tag in tags if tag.startswith(UNDO_TAG)), "")


@register.filter
def percent(share: float | None) -> str:
    return "–" if share is None else f"{round(share * 100)} %"


@register.filter
def score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


@register.filter
def item(mapping: Any, key: Any) -> Any:
    return mapping.get(key) if mapping else None


@register.filter
def rung_name(name: str) -> str:
    return wording.rung_name(name)


@register.filter
def rung_tone(name: str) -> str:
    """The state whose colour a rung's badge borrows: an answer is good news, a hand-over is not yet."""
    return "waiting" if name == "human" else "answered"


@register.filter
def answered_by(turn: Any) -> str:
    return wording.answered_by(turn.rung, len(turn.trace))


@register.filter
def rung_reason(reason: str) -> str:
    return wording.rung_reason(reason)


@register.filter
def kept_back(reason: str) -> str:
    return wording.kept_back(reason)


@register.filter
def with_marks(turn: Any) -> SafeString:
    """The answer with each `[n]` as a link to what it cites; everything else stays text."""
    known = {citation["n"]: citation for citation in turn.citations}
    parts: list[SafeString] = []
    for piece in _MARK.split(turn.answer):
        number = int(piece[1:-1]) if _MARK.fullmatch(piece) else 0
        if number in known:
            parts.append(
                format_html(
                    '<a class="mark num" href="#turn-{}-{}" title="{}">{}</a>',
                    turn.id,
                    number,
                    known[number]["title"],
                    number,
                )
            )
        else:
            parts.append(escape(piece))
    return mark_safe("".join(parts))  # noqa: S308  each part was escaped above


@register.filter
def search_note(note: str) -> str:
    return search_words.search_note(note)


@register.filter
def search_reason(name: str) -> str:
    return search_words.search_reason(name)


@register.filter
def searches_like(settings: Any) -> str:
    return search_words.searches_like(settings or {})


@register.filter
def search_cut(code: str) -> str:
    return search_words.search_cut(code)


@register.filter
def search_addition(addition: tuple[str, str, str]) -> str:
    return search_words.search_addition(*addition)


@register.filter
def finding_kind(kind: str) -> str:
    return finding_words.finding_kind(kind)


@register.filter
def finding_help(kind: str) -> str:
    return finding_words.finding_help(kind)


@register.filter
def stage_name(name: str) -> str:
    return wording.stage(name)


@register.filter
def stage_state(value: str) -> str:
    return wording.stage_state(value)


@register.filter
def audit_action(action: str) -> str:
    return audit_words.audit_action(action)


@register.filter
def api_group(tag: str) -> str:
    return wording.api_group(tag)


@register.filter
def highlight(text: str, terms: Iterable[str]) -> SafeString:
    """The text with every matched word marked; touching marks are joined."""
    known = {term for term in terms if term.strip()}
    # Beside whole words and pairs, a single character would mark half the page.
    wanted = sorted({t for t in known if len(t) > 1} or known, key=len, reverse=True)
    if not wanted:
        return conditional_escape(text)
    pattern = re.compile("|".join(map(re.escape, wanted)), re.IGNORECASE)
    parts: list[str] = []
    position = 0
    for start, end in _joined(match_spans(pattern, text)):
        parts += [conditional_escape(text[position:start])]
        parts += [format_html("<mark>{}</mark>", text[start:end])]
        position = end
    parts.append(conditional_escape(text[position:]))
    return mark_safe("".join(parts))  # noqa: S308  every part is escaped above


@register.filter
def matched_words(hit: Any) -> list[str]:
    """What of the question was found, as it stands in the passage or in its title and headings."""
    known = {term for term in hit.matched_terms if term.strip()}
    wanted = sorted({t for t in known if len(t) > 1} or known, key=len, reverse=True)
    if not wanted:
        return []
    pattern = re.compile("|".join(map(re.escape, wanted)), re.IGNORECASE)
    found: dict[str, None] = {}
    for text in (hit.text, hit.header):
        for start, end in _joined(match_spans(pattern, text)):
            found[text[start:end]] = None
    return list(found)[:_WORDS_SHOWN]


def match_spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    """Also overlapping matches: Chinese terms are pairs of characters that share one."""
    spans = []
    position = 0
    while found := pattern.search(text, position):
        spans.append(found.span())
        position = found.start() + 1
    return spans


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
