"""The job that reviews a version, step by step.

Each step keeps its findings and notes itself as done in one transaction, under the job's lease: a second run,
after a crash, takes up at the first step that is not done, and a finding that is there already stays the one.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.contracts.models import ClauseSpan, ContractVersion, Finding, ReviewRun
from apps.contracts.progress import end_told, stage_told
from apps.contracts.reading import Contract as Read
from apps.contracts.reviewing.clauses import clauses_find
from apps.contracts.reviewing.findings import Batch, checks_findings, rules_findings
from apps.contracts.reviewing.model_step import Asking, rules_ask
from apps.contracts.reviewing.outcome import contract_recount, facts_of
from apps.contracts.reviewing.reading import version_read
from apps.contracts.reviewing.source import read_of
from furrow.assistants.language import short_language
from furrow.channels.deliveries import deliveries_begin
from furrow.core.context import tenant_tx
from furrow.core.extensions import JobRun
from furrow.core.logs import get_logger
from furrow.tenants.selectors import tenant_by_id

STEPS = ("reading", "clauses", "checks", "playbook")
MODEL_STEP = "model"
RUN_FINISHED = "run.finished"
PROGRESS_EVERY_S = 0.5
log = get_logger(__name__)


def steps_of(run: ReviewRun) -> tuple[str, ...]:
    return (*STEPS, MODEL_STEP) if run.with_model else STEPS


class ReviewHandler:
    """Runs "contracts.review" on a run."""

    def run(self, job: JobRun) -> None:
        try:
            review = _Review(job)
            if review.load():
                review.run()
        except _Stopped:
            log.info("review_stopped", run=str(job.subject_id))

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        active = ReviewRun.objects.filter(id=subject_id, state__in=ReviewRun.ACTIVE)
        if active.update(state=ReviewRun.State.FAILED, error_code=code, finished_at=timezone.now()):
            run = ReviewRun.objects.select_related("version__contract").get(id=subject_id)
            deliveries_begin(event=RUN_FINISHED, facts=facts_of(run))
            end_told(run)


class _Stopped(Exception):
    """The run was cancelled: the rest of the work is pointless."""


class _Review:
    def __init__(self, job: JobRun) -> None:
        self._job = job
        self._run = ReviewRun()
        self._read: Read | None = None
        self._noted_at = 0.0

    def load(self) -> bool:
        """Whether there is still something to do."""
        with tenant_tx(self._job.tenant_id):
            run = (
                ReviewRun.objects.filter(id=self._job.subject_id)
                .select_related("version__contract")
                .first()
            )
            if run is None or not run.is_active or run.version.contract.deleted_at is not None:
                return False
            self._run = run
            self._keep(state=ReviewRun.State.RUNNING)
        return True

    def run(self) -> None:
        steps: dict[str, Callable[[], None]] = {
            "reading": self._reading,
            "clauses": self._clauses,
            "checks": self._checks,
            "playbook": self._playbook,
            "model": self._model,
        }
        for name in steps_of(self._run):
            if self._run.stages.get(name, {}).get("state") != "done":
                started = time.monotonic()
                with tenant_tx(self._job.tenant_id):
                    self._stage(name, state="running")
                steps[name]()
                self._run.stages[name]["seconds"] = round(time.monotonic() - started, 2)
        self._finish()

    def _reading(self) -> None:
        version_read(self._job, self._run.version, self._progress("reading"))
        with tenant_tx(self._job.tenant_id):
            self._stage("reading", state="done")

    def _clauses(self) -> None:
        version = self._run.version
        found = clauses_find(self._contract(), version.language, self._progress("clauses"))
        rows = [
            ClauseSpan(
                tenant_id=self._job.tenant_id,
                version=version,
                kind=clause.kind,
                start=clause.start,
                end=clause.end,
                source=clause.source,
                score=clause.score,
            )
            for clause in found
        ]
        with tenant_tx(self._job.tenant_id):
            ClauseSpan.objects.bulk_create(rows, ignore_conflicts=True)
            self._stage("clauses", state="done")

    def _checks(self) -> None:
        batch = self._batch()
        if self._run.with_checks:
            checks_findings(batch)
        self._keep_batch("checks", batch)

    def _playbook(self) -> None:
        batch = self._batch()
        rules_findings(
            batch,
            language=self._language(),
            types=self._types(),
            on_progress=self._progress("playbook"),
        )
        self._keep_batch("playbook", batch)

    def _model(self) -> None:
        """Opens its own transactions: no model is asked inside of one."""
        self._contract()
        with tenant_tx(self._job.tenant_id):
            tenant = tenant_by_id(self._job.tenant_id)
            reader = short_language(tenant.language if tenant else "zh")
        rules_ask(
            Asking(
                self._run,
                batch=self._batch,
                language=self._language(),
                reader=reader,
                types=self._types(),
                note=partial(self._stage, "model"),
            )
        )

    def _language(self) -> str:
        return "zh" if self._run.version.language == "zh" else "en"

    def _types(self) -> frozenset[str]:
        with tenant_tx(self._job.tenant_id):
            spans = ClauseSpan.objects.filter(version=self._run.version)
            return frozenset(spans.values_list("kind", flat=True))

    def _batch(self) -> Batch:
        return Batch(self._run, self._contract(), self._job.tenant_id)

    def _contract(self) -> Read:
        if self._read is None:
            with tenant_tx(self._job.tenant_id):
                version = ContractVersion.objects.get(id=self._run.version_id)
            self._run.version = version
            self._read = read_of(version)
        return self._read

    def _keep_batch(self, name: str, batch: Batch) -> None:
        with tenant_tx(self._job.tenant_id):
            Finding.objects.bulk_create(batch.rows, ignore_conflicts=True, batch_size=500)
            self._stage(name, state="done", dropped=batch.dropped)

    def _finish(self) -> None:
        with tenant_tx(self._job.tenant_id):
            self._keep(
                state=ReviewRun.State.DONE, stages=self._run.stages, finished_at=timezone.now()
            )
            contract_recount(self._run.version.contract_id)
            run = ReviewRun.objects.select_related("version__contract").get(id=self._run.id)
            deliveries_begin(event=RUN_FINISHED, facts=facts_of(run))
            end_told(run)

    def _progress(self, name: str) -> Callable[[int, int], None]:
        def report(done: int, total: int) -> None:
            if time.monotonic() - self._noted_at >= PROGRESS_EVERY_S:
                self._noted_at = time.monotonic()
                with tenant_tx(self._job.tenant_id):
                    self._stage(name, state="running", done=done, total=total)

        return report

    def _stage(self, name: str, *, dropped: int = 0, **noted: Any) -> None:
        stages = self._run.stages
        stages[name] = {**stages.get(name, {}), **noted}
        self._run.dropped += dropped
        self._keep(stages=stages, dropped=self._run.dropped)
        stage_told(self._run, name)

    def _keep(self, **values: Any) -> None:
        """Under the lease, and only while nobody cancelled. Rows are locked in the order run, job, contract."""
        active = ReviewRun.objects.filter(id=self._run.id, state__in=ReviewRun.ACTIVE)
        if not active.update(**values):
            raise _Stopped
        self._job.renew()
