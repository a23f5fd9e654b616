"""Asks the demo shop's whole ladder, without a model: facts, approved answers, quotes, else a person."""

from typing import Any
from unittest import mock

from apps.support.demo import shop_load
from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import Question, climb
from furrow.assistants.language import language_of
from furrow.assistants.services import assistant_update
from furrow.core.context import tenant_context, tenant_tx
from furrow.tenants.services import SYSTEM
from tests.apps.support.fact_cases import DAY, fact_cases, shop_date_set
from tests.bench.quoted_demo import ignore, samples_of, tenant_load

RUNGS = ["greeting", "fact", "approved", "quoted", "human"]


class Asker:
    """The demo's files, approved answers and catalogue, as an owner would set them up."""

    def __init__(self, plan: Any) -> None:
        self.plan = plan
        self.tenant_id, assistant = tenant_load(plan)
        with tenant_tx(self.tenant_id):
            shop_load()
            shop_date_set()
            assistant_update(actor=SYSTEM, assistant=assistant, rungs=RUNGS)
            self.config = AssistantConfig.of_draft(assistant)

    def answered(self, text: str) -> str:
        """What was said, empty when a person was called or nothing was known."""
        question = Question(text, language_of(text, default="zh"), self.tenant_id)
        now = mock.patch("apps.support.facts.rung.timezone.now", return_value=DAY)
        with tenant_context(self.tenant_id), now:
            answer = climb(question, self.config, ignore, ignore)
        return "" if answer.rung == "human" else f"[{answer.rung}] {answer.text[:80]}"

    def good_questions(self) -> list[str]:
        """Those of the demo, their other wordings, and the fact questions that a row answers."""
        demo = [sample.text for sample in samples_of(self.plan) if sample.is_in_scope]
        facts = [case.question for case in fact_cases() if not case.is_absent]
        return list(dict.fromkeys([*demo, *facts]))
