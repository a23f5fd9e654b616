"""Words for the states, rungs and stages that are stored as codes."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from furrow.core.extensions import extensions
from furrow.dashboard.audit_words import ACTIONS
from furrow.gateway.chat import chat_is_configured

_TONES = {
    "ready": "good",
    "delivered": "good",
    "live": "good",
    "answered": "good",
    "published": "good",
    "failed": "bad",
    "revoked": "bad",
    "expired": "warn",
    "open": "warn",
    "waiting": "warn",
    "human": "warn",
    "queued": "busy",
    "parsing": "busy",
    "cleaning": "busy",
    "embedding": "busy",
    "running": "busy",
    "building": "busy",
}
_STATES = {
    "live": _lazy("In use"),
    "retired": _lazy("Replaced"),
    "building": _lazy("In preparation"),
    "failed": _lazy("Failed"),
    "published": _lazy("Published"),
    "draft": _lazy("Draft only"),
    "revoked": _lazy("Revoked"),
    "expired": _lazy("Expired"),
    "open": _lazy("Open"),
    "closed": _lazy("Closed"),
    "answered": _lazy("Answered"),
    "dismissed": _lazy("Dismissed"),
    "test": _lazy("Test"),
    "bot": _lazy("Assistant"),
    "waiting": _lazy("Waiting for a person"),
    "human": _lazy("With a person"),
}
# (name, explanation); a trade app's rung may carry `label` and `description` of its own.
RUNGS: Mapping[str, tuple[Any, Any]] = {
    "greeting": (_lazy("Greeting"), _lazy("Answers a hello or a thank-you.")),
    "approved": (
        _lazy("Approved answers"),
        _lazy("Gives an answer you wrote yourself, word for word. Costs nothing."),
    ),
    "fact": (
        _lazy("Live facts"),
        _lazy("Looks up prices, stock or orders in your own tables. Costs nothing."),
    ),
    "composed": (
        _lazy("Written by the model"),
        _lazy(
            "A language model writes from your documents; every sentence is checked. Each such answer costs "
            "tokens from your balance. Off until you tick it, save and publish."
        ),
    ),
    "quoted": (
        _lazy("Quotes"),
        _lazy("Shows the exact sentences of your documents that answer. Costs nothing."),
    ),
    "human": (_lazy("A person"), _lazy("Hands over to you, or says that it does not know.")),
}
# No rungs of the ladder: what became of a question that a person answers.
_OTHERS_SPOKE = {
    "person": _lazy("Answered by a colleague"),
    "held": _lazy("Waits for a colleague's word"),
}
_REASONS = {
    "not_small_talk": _lazy("It is a real question."),
    "none_approved": _lazy("There is no approved answer yet."),
    "no_match": _lazy("Nothing was close enough."),
    "pin_outdated": _lazy("The pinned passage no longer stands in its document."),
    "ambiguous": _lazy("Several fit equally well."),
    "not_installed": _lazy("This step is not set up on this server."),
    "unavailable": _lazy("A server it needs did not answer."),
    "no_documents": _lazy("The assistant has no documents to look in."),
    "no_evidence": _lazy("What was found was not sure enough."),
    "quotes_not_verified": _lazy("A quote did not match its document word for word."),
    "no_model": _lazy("No language model is connected."),
    "model_not_offered": _lazy(
        "The model it was told to use is not open to your business, or not offered on this server."
    ),
    "not_switched_on": _lazy("Answers written by the model are switched off for this assistant."),
    "model_unknown": _lazy("The model found no answer in the passages."),
    "not_supported": _lazy("Too little of what the model wrote is in the passages."),
    "not_paid": _lazy("The budget does not allow an answer of the model, or it has no price."),
    "budget_low": _lazy("The budget runs low, and your steps for that leave this out."),
}
# Why a sentence of the model was kept back.
_KEPT_BACK = {
    "not_plain_text": _lazy("Holds a link, a picture or code."),
    "says_unknown": _lazy("Says that it does not know."),
    "number_not_in_passage": _lazy("A number that the passage does not have."),
    "date_not_in_passage": _lazy("A date that the passage does not have."),
    "time_not_in_passage": _lazy("A time that the passage does not have."),
    "weekday_not_in_passage": _lazy("A weekday that the passage does not have."),
    "code_not_in_passage": _lazy("A product code that the passage does not have."),
    "contact_not_in_passage": _lazy("A phone number or address that the passage does not have."),
    "name_not_in_passage": _lazy("A name that the passage does not have."),
    "words_not_in_passage": _lazy("Says more than the passage."),
    "claim_not_in_passage": _lazy("A sweeping claim that the passage does not make."),
    "promise_not_in_passage": _lazy("A promise that the passage does not make."),
    "says_the_opposite": _lazy("Says the opposite of the passage."),
    "opposite_word": _lazy("Says the opposite of the passage."),
    "figure_of_another": _lazy("The number belongs to something else in the passage."),
    "not_sure": _lazy("Not surely what the passage says."),
    "figure_denied": _lazy("Says the opposite of the passage."),
    "model_says_no": _lazy("The second look of the model said no."),
}
# From when on it is said that something expires.
_SOON_DAYS = 14
_STAGES = {
    "parsing": _lazy("Reading"),
    "cleaning": _lazy("Cleaning"),
    "embedding": _lazy("Indexing"),
}
_STAGE_STATES = {
    "waiting": _lazy("waiting"),
    "running": _lazy("running"),
    "done": _lazy("done"),
    "failed": _lazy("failed"),
    "postponed": _lazy("later; the document is used without it until then"),
}
# The tags of the REST API's routes; a trade app's tag is shown as it is.
_API_GROUPS = {
    "knowledge": _lazy("Knowledge and search"),
    "metering": _lazy("Usage, prices and budgets"),
    "webhooks": _lazy("Messages to your programs"),
    "channels": _lazy("Channels"),
    "assistants": _lazy("Assistants"),
    "evaluation": _lazy("Golden questions and tests"),
    "conversations": _lazy("Conversations"),
    "inbox": _lazy("Inbox"),
}


def tone(value: str) -> str:
    """The colour class of a state's badge."""
    return _TONES.get(value, "")


def state(value: str) -> str:
    return str(_STATES.get(value, value))


def rung_name(name: str) -> str:
    if name in RUNGS:
        return str(RUNGS[name][0])
    if name in _OTHERS_SPOKE:
        return str(_OTHERS_SPOKE[name])
    return str(getattr(extensions.rungs.get(name), "label", name))


def answered_by(rung: str, steps: int) -> str:
    """A wish for a person goes straight to the last rung; arriving there step by step means not knowing."""
    return _("Did not know") if rung == "human" and steps > 1 else rung_name(rung)


def rung_description(name: str) -> str:
    if name == "composed" and not chat_is_configured():
        return _(
            "No language model is connected on this server, so this step is skipped until the operator connects one."
        )
    if name in RUNGS:
        return str(RUNGS[name][1])
    return str(getattr(extensions.rungs.get(name), "description", ""))


def rung_reason(reason: str) -> str:
    """Why a rung did not answer; codes of trade apps are shown as they are."""
    return str(_REASONS.get(reason, reason.replace("_", " ")))


def kept_back(reason: str) -> str:
    """Why a sentence was kept back; a rule without words of its own says its name."""
    return str(_KEPT_BACK.get(reason, reason.replace("_", " ")))


def stage(name: str) -> str:
    return str(_STAGES.get(name, name))


def stage_state(value: str) -> str:
    return str(_STAGE_STATES.get(value, value))


def words_add(
    *,
    actions: Mapping[str, Any] | None = None,
    reasons: Mapping[str, Any] | None = None,
    api_groups: Mapping[str, Any] | None = None,
) -> None:
    """A trade's words for its codes, as lazy translations; called in its `AppConfig.ready`."""
    ACTIONS.update(actions or {})
    _REASONS.update(reasons or {})
    _API_GROUPS.update(api_groups or {})


def api_group(tag: str) -> str:
    return str(_API_GROUPS.get(tag, tag.capitalize()))


def ticket_reason(reason: str) -> str:
    if reason == "asked":
        return _("The visitor asked for a person.")
    return reason.replace("_", " ")


def validity(begins: date | None, ends: date | None, today: date) -> tuple[str, str]:
    """The colour and words of a badge; both empty while nothing about the dates needs a look."""
    if ends is not None and ends < today:
        return "bad", _("Expired")
    if begins is not None and begins > today:
        days = (begins - today).days
        return "busy", ngettext("begins tomorrow", "begins in %(n)d days", days) % {"n": days}
    if ends is not None and (ends - today).days <= _SOON_DAYS:
        days = (ends - today).days
        if not days:
            return "warn", _("last day")
        return "warn", ngettext("%(n)d day left", "%(n)d days left", days) % {"n": days}
    return "", ""
