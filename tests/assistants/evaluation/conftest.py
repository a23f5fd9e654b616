"""An assistant over real documents, and hands to ask its golden questions with a worker."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from furrow.assistants.evaluation import golden, runs
from furrow.assistants.evaluation.models import EvaluationResult, EvaluationRun, GoldenQuestion
from furrow.assistants.models import Assistant
from furrow.assistants.services import assistant_update
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.models import Job
from furrow.tenants.services import Actor
from tests.conversations.chats import orchard_assistant
from tests.fixtures_embeddings import (  # noqa: F401  fixtures by name
    _embedding_process,
    embedding_server,
)
from tests.replay import made_once


@dataclass
class Bench:
    """One tenant's assistant with its golden set; `work` does what a worker would."""

    tenant_id: UUID
    assistant: Assistant
    actor: Actor

    def add(self, question: str, **expected: Any) -> GoldenQuestion:
        with tenant_tx(self.tenant_id):
            return golden.golden_create(
                actor=self.actor, assistant=self.assistant, question=question, **expected
            )

    def draft(self, **settings: Any) -> None:
        with tenant_tx(self.tenant_id):
            self.assistant.refresh_from_db()
            assistant_update(actor=self.actor, assistant=self.assistant, settings=settings)

    def start(self, kind: str = "manual", **options: Any) -> EvaluationRun:
        with tenant_tx(self.tenant_id):
            self.assistant.refresh_from_db()
            options.setdefault("candidate", runs.Subject.draft(self.assistant))
            return runs.run_create(assistant=self.assistant, kind=kind, **options)

    def work(self) -> None:
        for lane in ("chat", "ingest"):
            while jobs.run_next(lane):
                pass

    def fresh(self, row: Any) -> Any:
        with tenant_tx(self.tenant_id):
            return type(row).objects.get(id=row.id)

    def results(self, run: EvaluationRun) -> list[EvaluationResult]:
        with tenant_tx(self.tenant_id):
            return list(EvaluationResult.objects.filter(run=run).order_by("position", "-side"))


@pytest.fixture
def bench(cast: Any, settings: Any) -> Bench:
    # Nobody listens there: words alone are searched, and nothing is asked of a model.
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    settings.EMBEDDINGS_LANGUAGES = ["none"]
    assistant = made_once("evaluation", lambda: _assistant(cast.tenant.id))
    return Bench(cast.tenant.id, assistant, Actor.user(cast.owner))


def _assistant(tenant_id: UUID) -> Assistant:
    made = orchard_assistant(tenant_id)
    with tenant_tx(tenant_id):
        # What waits for an embedding server stays out of the way, however long after this a test begins.
        Job.objects.filter(state="queued").update(run_after=timezone.now() + timedelta(hours=1))
    return made
