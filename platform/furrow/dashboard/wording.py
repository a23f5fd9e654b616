"""Words for the states, rungs and actions that are stored as codes."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from furrow.core.extensions import extensions
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
# The part before a colon; what follows it is a detail, for example a language.
_SEARCH_NOTES = {
    "vectors_unavailable": _lazy(
        "The search by meaning does not answer now; only words were compared."
    ),
    "vectors_building": _lazy(
        "The search by meaning is still being prepared; words were compared."
    ),
    "vectors_not_paid": _lazy("The budget is used up; only words were compared."),
    "rerank_unavailable": _lazy(
        "The second look by a model does not answer now; its order is left out."
    ),
    "rerank_not_paid": _lazy("The budget is used up; the second look was left out."),
    "vectors_untrusted": _lazy(
        "The connected model does not know this language well, so only words were compared."
    ),
}
_SEARCH_REASONS = {
    "named": _lazy("Counts more: the question names this document."),
    "cited": _lazy("Counts more: other documents refer to this one."),
    "known": _lazy("Counts more: it answered questions like this one."),
    "known_passage": _lazy("Counts more: this passage answered a question like this one."),
}
SEARCH_MODES = {
    "hybrid": _lazy("Words and meaning together"),
    "lexical": _lazy("Exact words only"),
    "vector": _lazy("Meaning only"),
}
# From when on it is said that something expires.
_SOON_DAYS = 14
_SEARCH_CUTS = {
    "duplicate": _lazy("It says the same as a passage above."),
    "beyond_limit": _lazy("It comes after the number that was asked for."),
    "expired": _lazy("Its document is past its last valid day."),
    "not_yet_valid": _lazy("Its document is not valid yet."),
}
_SEARCH_ADDITIONS = {
    "pinyin": _lazy("“%(said)s” was read as pinyin: %(meant)s"),
    "typo": _lazy("“%(said)s” is in no document; “%(meant)s” was looked for besides"),
    "synonym": _lazy("“%(said)s” means the same as “%(meant)s”"),
    "formal": _lazy("“%(said)s”: rules and contracts say “%(meant)s”, which was looked for too."),
}
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
_ACTIONS = {
    "tenant.created": _lazy("Business created"),
    "tenant.updated": _lazy("Business settings changed"),
    "invitation.created": _lazy("Invitation sent"),
    "invitation.accepted": _lazy("Invitation accepted"),
    "invitation.revoked": _lazy("Invitation withdrawn"),
    "member.role_set": _lazy("Role changed"),
    "member.removed": _lazy("Member removed"),
    "api_key.created": _lazy("API key created"),
    "api_key.revoked": _lazy("API key revoked"),
    "findings.decided": _lazy("Findings kept or left out"),
    "synonyms.created": _lazy("Synonyms added"),
    "synonyms.updated": _lazy("Synonyms changed"),
    "synonyms.deleted": _lazy("Synonyms deleted"),
    "known_question.created": _lazy("Passage marked as the answer to a question"),
    "known_question.deleted": _lazy("Question of a passage forgotten"),
    "knowledge_base.created": _lazy("Knowledge base created"),
    "knowledge_base.updated": _lazy("Knowledge base changed"),
    "knowledge_base.deleted": _lazy("Knowledge base deleted"),
    "knowledge_base.restored": _lazy("Knowledge base restored"),
    "document.created": _lazy("Document added"),
    "document.replaced": _lazy("Document replaced"),
    "document.updated": _lazy("Document changed"),
    "document.deleted": _lazy("Document deleted"),
    "document.restored": _lazy("Document restored"),
    "document.retried": _lazy("Document tried again"),
    "chunk.enabled": _lazy("Passage switched on"),
    "chunk.disabled": _lazy("Passage switched off"),
    "passage.corrected": _lazy("Passage corrected"),
    "passage.restored": _lazy("Correction taken back"),
    "passage.kept": _lazy("Correction kept"),
    "assistant.created": _lazy("Assistant created"),
    "assistant.updated": _lazy("Assistant changed"),
    "assistant.published": _lazy("Assistant published"),
    "assistant.rolled_back": _lazy("Assistant rolled back"),
    "assistant.deleted": _lazy("Assistant deleted"),
    "assistant.restored": _lazy("Assistant restored"),
    "approved_answer.created": _lazy("Approved answer added"),
    "approved_answer.updated": _lazy("Approved answer changed"),
    "approved_answer.deleted": _lazy("Approved answer deleted"),
    "gap.answered": _lazy("Gap answered"),
    "gap.dismissed": _lazy("Gap dismissed"),
    "gap.reopened": _lazy("Gap put back on the list"),
    "golden_question.created": _lazy("Golden question added"),
    "golden_question.updated": _lazy("Golden question changed"),
    "golden_question.deleted": _lazy("Golden question deleted"),
    "evaluation.started": _lazy("Golden questions asked"),
    "publication.checked": _lazy("Publication tested"),
    "publication.withdrawn": _lazy("Publication taken back"),
    "conversation.taken": _lazy("Conversation taken over"),
    "conversation.assigned": _lazy("Conversation given to a colleague"),
    "conversation.handed_back": _lazy("Conversation handed back to the assistant"),
    "conversation.closed": _lazy("Conversation closed"),
    "topics.set": _lazy("What the assistant may answer alone changed"),
    "hours.set": _lazy("Opening hours changed"),
    "hours.season_saved": _lazy("Season of the opening hours saved"),
    "hours.season_removed": _lazy("Season of the opening hours removed"),
    "canned.saved": _lazy("Ready reply saved"),
    "canned.removed": _lazy("Ready reply removed"),
    "canned.restored": _lazy("Ready reply brought back"),
    "ticket.closed": _lazy("Ticket closed"),
    "ticket.reopened": _lazy("Ticket reopened"),
    "widget.updated": _lazy("Widget changed"),
    "widget.identity_set": _lazy("Signed customers of the widget changed"),
    "widget.identity_renewed": _lazy("Secret for signed customers renewed"),
    "channel.created": _lazy("Channel added"),
    "channel.updated": _lazy("Channel changed"),
    "channel.deleted": _lazy("Channel removed"),
    "channel.restored": _lazy("Channel brought back"),
    "webhook.created": _lazy("Address for messages added"),
    "webhook.updated": _lazy("Address for messages changed"),
    "webhook.secret_renewed": _lazy("Secret of an address renewed"),
    "webhook.deleted": _lazy("Address for messages removed"),
    "webhook.restored": _lazy("Address for messages brought back"),
    "webhook.tested": _lazy("Test message sent"),
    "webhook.resent": _lazy("Message sent again"),
    "assumptions.set": _lazy("Assumptions of the comparison changed"),
    "budget.set": _lazy("Limit set"),
    "budget.ended": _lazy("Limit lifted"),
    "budget.ceiling_set": _lazy("Operator's limit set"),
    "metering.prepaid_set": _lazy("Way of paying changed"),
    "metering.credit_added": _lazy("Credit paid in"),
    "metering.adjusted": _lazy("Bill adjusted"),
    "metering.reversed": _lazy("Entry reversed"),
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


def search_note(note: str) -> str:
    """What a search left out, in words."""
    return str(_SEARCH_NOTES.get(note.split(":")[0], note))


def search_reason(name: str) -> str:
    return str(_SEARCH_REASONS.get(name, name))


def search_cut(code: str) -> str:
    return str(_SEARCH_CUTS.get(code, code))


def searches_like(settings: Mapping[str, Any]) -> str:
    mode = SEARCH_MODES.get(settings.get("mode", ""), SEARCH_MODES["hybrid"])
    return f"{mode} · {settings.get('limit', 8)}"


def search_addition(kind: str, said: str, meant: str) -> str:
    return str(_SEARCH_ADDITIONS[kind]) % {"said": said, "meant": meant}


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
    _ACTIONS.update(actions or {})
    _REASONS.update(reasons or {})
    _API_GROUPS.update(api_groups or {})


def audit_action(action: str) -> str:
    return str(_ACTIONS.get(action, action))


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
