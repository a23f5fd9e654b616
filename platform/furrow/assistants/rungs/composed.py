"""Answers that the model writes from passages, each sentence verified before it leaves.

Read as steps: may it write (model, money), what does it read, what does it write, what of that may stand. When too
little stands the next rung answers, and the trace says why.
"""

from typing import Any

from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import (
    LadderContext,
    Question,
    RungResult,
    answered,
    passed,
)
from furrow.assistants.quotes import cited
from furrow.assistants.rungs.composed_prompt import answer_messages
from furrow.assistants.rungs.composed_reading import read
from furrow.assistants.rungs.composed_writing import Written, write
from furrow.core.context import current_tenant_id, tenant_tx
from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.gateway.chat import chat_is_configured, model_in_vain
from furrow.gateway.writing import Manner, Writer

# A shorter answer than this holds no whole sentence with its citation.
LEAST_TOKENS = 48
_NOT_PAID = frozenset({"budget_exceeded", "price_unknown"})


class ComposedRung:
    """Needs a chat model, the owner's wish and money for it; without any of them it passes at once."""

    name = "composed"

    def try_answer(
        self, question: Question, config: AssistantConfig, ctx: LadderContext
    ) -> RungResult:
        if not chat_is_configured():
            return passed("no_model")
        if not config.composed.enabled:
            return passed("not_switched_on")
        manner = _manner(config, ctx)
        if withheld := _withheld(manner.model or ""):
            return passed("model_not_offered", model=withheld)
        if not config.knowledge_base_ids:
            return passed("no_documents")
        if not ctx.step.may_write:
            return passed("budget_low", step=ctx.step.as_json())
        ctx.stage("searching")
        found = read(question, config, manner.model)
        notes: dict[str, Any] = {**found.notes, "confidence": round(found.confidence, 3)}
        if ctx.step.name != "full":
            notes["step"] = ctx.step.as_json()
        if not found.hits:
            return passed("no_evidence", **notes)
        ctx.stage("writing")
        writer = Writer(manner)
        messages = answer_messages(question, config, found.passages)
        try:
            written = write(messages, question, config, found, writer, ctx)
        except (LimitReached, UpstreamFailed) as error:
            reason = "not_paid" if error.code in _NOT_PAID else "unavailable"
            return passed(reason, code=error.code, **notes)
        notes |= {**written.notes(), "model": writer.usage.model, "tokens": writer.usage.as_json()}
        return _result(written, writer, notes)


def _withheld(model: str) -> str:
    """Whoever pays the model's provider decides which of its models a tenant may ask."""
    with tenant_tx(current_tenant_id()):
        return model_in_vain(model)


def _manner(config: AssistantConfig, ctx: LadderContext) -> Manner:
    most = config.composed.max_tokens
    if ctx.step.max_tokens is not None:
        most = max(LEAST_TOKENS, min(most, ctx.step.max_tokens))
    # A budget's cheaper model goes before the owner's choice.
    model = ctx.step.model or config.composed.model or None
    return Manner(max_tokens=most, model=model, thinking=config.composed.thinking)


def _result(written: Written, writer: Writer, notes: dict[str, Any]) -> RungResult:
    if written.failure:
        return passed(written.failure, **notes)
    with tenant_tx(current_tenant_id()):
        citations = cited(written.quotes)
    if len(citations) < len(written.quotes):
        # The document changed while the model wrote.
        return passed("quotes_not_verified", **notes)
    return answered(
        written.text,
        citations=tuple(citations),
        usage=writer.usage.as_json(),
        notes=notes,
    )
