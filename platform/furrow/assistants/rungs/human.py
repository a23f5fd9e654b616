"""The last rung. Passes the chat to a person who was asked for, or says honestly that nothing was found."""

from django.utils import timezone

from furrow.assistants.config import AssistantConfig, HumanConfig
from furrow.assistants.ladder import LadderContext, Question, RungResult, answered
from furrow.assistants.phrases import join_sentences, moment_words, phrase
from furrow.core.context import current_tenant_id, tenant_tx
from furrow.tenants.hours import Hours, hours_read
from furrow.tenants.presence import members_present


class HumanRung:
    """Always answers. Only an explicit wish opens a ticket; not knowing offers one."""

    name = "human"

    def try_answer(
        self, question: Question, config: AssistantConfig, ctx: LadderContext
    ) -> RungResult:
        language, human = question.language, config.human
        if ctx.contact:
            return answered(
                phrase("contact_noted", language), opens_ticket=True, contact=ctx.contact
            )
        if ctx.is_person_asked:
            return self._hand_over(language, human)
        sentences = [phrase("did_you_mean" if ctx.suggestions() else "unknown", language)]
        if human.enabled:
            sentences.append(phrase("offer_person", language))
        sentences += _ways_to_reach(language, human)
        return answered(join_sentences(language, sentences), is_gap=True)

    def _hand_over(self, language: str, human: HumanConfig) -> RungResult:
        if not human.enabled:
            sentences = [phrase("person_off", language), *_ways_to_reach(language, human)]
            return answered(join_sentences(language, sentences))
        sentences = [
            _promise(language),
            *_ways_to_reach(language, human),
            phrase("leave_contact", language),
        ]
        return answered(join_sentences(language, sentences), opens_ticket=True)


def _promise(language: str) -> str:
    """No more than is known: somebody is at work now, or opens at a time, or will see it."""
    now, tenant_id = timezone.now(), current_tenant_id()
    with tenant_tx(tenant_id):
        hours: Hours = hours_read()
    if members_present(tenant_id):
        return phrase("person_near", language)
    opening = hours.next_opening(now)
    if opening is not None and opening > now:
        when = moment_words(opening, now=now, zone=hours.zone, language=language)
        return phrase("person_later", language, when=when)
    return phrase("person_asked", language)


def _ways_to_reach(language: str, human: HumanConfig) -> list[str]:
    hours = phrase("hours", language, hours=human.hours) if human.hours else ""
    contact = phrase("contact", language, contact=human.contact) if human.contact else ""
    return [hours, contact]
