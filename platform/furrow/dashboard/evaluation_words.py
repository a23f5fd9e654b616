"""Words for golden questions, runs and verdicts, which are stored as codes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from furrow.assistants.evaluation.models import EvaluationResult, EvaluationRun, GoldenQuestion
from furrow.dashboard import wording

_OUTCOMES = {
    "answer": _lazy("an answer"),
    "refusal": _lazy("that it does not know"),
    "handover": _lazy("a hand-over to a person"),
}
_TONES = {
    "passed": "good",
    "failed": "bad",
    "broken": "bad",
    "fixed": "good",
    "queued": "busy",
    "running": "busy",
    "cancelled": "warn",
}
_STATES = {
    "queued": _lazy("Waiting"),
    "running": _lazy("Running"),
    "done": _lazy("Done"),
    "failed": _lazy("Failed"),
    "cancelled": _lazy("Cancelled"),
    "passed": _lazy("Right"),
    "broken": _lazy("Broken"),
    "fixed": _lazy("Fixed"),
}
_FATES = {
    "quoted": _lazy("Used in the answer."),
    "unsure": _lazy("Found, but not sure enough to be quoted."),
    "weaker": _lazy("Left out: far less sure than the best one."),
    "outdone": _lazy("Left out: sentences of other passages fit better."),
    "lacks_code": _lazy("Left out: the product code of the question does not stand in it."),
    "beyond_limit": _lazy("Not looked at: it came after the last place that the assistant reads."),
}


def fate(code: str) -> str:
    """What became of a passage."""
    return str(_FATES.get(code, code))


def tone(code: str) -> str:
    return _TONES.get(code, "")


def state(code: str) -> str:
    return str(_STATES.get(code, code))


def verdict(is_passed: bool | None) -> str:
    """The word of a result that was judged; empty for one that was not."""
    return "" if is_passed is None else _("Right") if is_passed else _("Wrong")


def outcome(code: str) -> str:
    return str(_OUTCOMES.get(code, code))


def check(found: Mapping[str, Any]) -> str:
    """One line of a verdict as a sentence."""
    words = {"wanted": found["wanted"], "found": found["found"]}
    kind = found["kind"]
    if kind == "outcome":
        words = {name: outcome(value) for name, value in words.items()}
        if found["is_ok"]:
            return _("Gave %(found)s, as expected.") % words
        return _("Expected %(wanted)s, got %(found)s.") % words
    if kind == "rung":
        words = {name: wording.rung_name(value) for name, value in words.items()}
        if found["is_ok"]:
            return _("Answered by: %(found)s, as expected.") % words
        return _("Expected as answered by: %(wanted)s; it was: %(found)s.") % words
    if kind == "fact":
        return (_("Says “%(found)s”.") if found["is_ok"] else _("“%(wanted)s” is missing.")) % words
    if kind == "forbidden":
        if found["is_ok"]:
            return _("Does not say “%(wanted)s”.") % words
        return _("Says “%(wanted)s”, which it must not.") % words
    return _document(found, words)


def _document(found: Mapping[str, Any], words: dict[str, str]) -> str:
    if found["is_ok"]:
        return _("Quotes “%(wanted)s”.") % words
    if not found["found"]:
        return _("Should quote “%(wanted)s”, quotes nothing.") % words
    return _("Should quote “%(wanted)s”, quotes “%(found)s”.") % words


def expectation(row: GoldenQuestion) -> list[str]:
    """What is expected of an answer, as short pieces."""
    pieces = []
    if row.expects != GoldenQuestion.Expects.ANSWER:
        pieces.append(str(row.get_expects_display()))
    pieces += [
        _("says “%(fact)s”") % {"fact": f" {_('or')} ".join(wordings)} for wordings in row.facts
    ]
    pieces += [_("never “%(text)s”") % {"text": text} for text in row.forbidden]
    if row.document:
        place = _("quotes “%(title)s”") % {"title": row.document.title}
        page = _(", page %(n)s") % {"n": row.page} if row.page else ""
        pieces.append(place + page)
    if row.rung:
        pieces.append(_("by: %(step)s") % {"step": wording.rung_name(row.rung)})
    return pieces or [_("any answer")]


def side_name(number: int | None) -> str:
    return _("Version %(n)s") % {"n": number} if number else _("Draft")


def side_of(run: EvaluationRun, side: str) -> str:
    """Its version, and what writes it where a comparison tried two models."""
    is_base = side == EvaluationResult.Side.BASE
    name = side_name(run.base_version_number if is_base else run.version_number)
    configs = [run.config, run.base_config or run.config]
    writers = [_writer(config["settings"].get("composed", {})) for config in configs]
    return name if writers[0] == writers[1] else f"{name} · {writers[is_base]}"


def _writer(composed: Mapping[str, Any]) -> str:
    if not composed.get("enabled"):
        return _("no model")
    return composed.get("model") or _("the server's model")


def run_title(run: EvaluationRun) -> str:
    if run.base_config is None:
        return f"{run.get_kind_display()} · {side_name(run.version_number)}"
    sides = {"a": side_name(run.version_number), "b": side_name(run.base_version_number)}
    return f"{run.get_kind_display()} · " + _("%(a)s against %(b)s") % sides


def money(amount: str, currency: str) -> str:
    """Small amounts keep the figures that tell them apart."""
    value = Decimal(amount)
    places = 2 if not value or abs(value) >= 1 else 6
    text = format(value.quantize(Decimal(1).scaleb(-places)), "f")
    whole, dot, decimals = text.partition(".")
    trimmed = decimals.rstrip("0").ljust(2, "0") if dot else ""
    return f"{'¥' if currency == 'CNY' else currency + ' '}{whole}.{trimmed}"


def money_change(before: str, after: str, currency: str) -> str:
    change = Decimal(after) - Decimal(before)
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return sign + money(str(abs(change)), currency)


def ms_change(before: int, after: int) -> str:
    change = after - before
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return f"{sign}{abs(change)} ms"
