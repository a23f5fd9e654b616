"""Jobs: leases, retries, fairness, and what happens when a worker dies."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from furrow.core import jobs
from furrow.core.context import tenant_context, tenant_id_or_none, tenant_tx
from furrow.core.errors import Invalid, UpstreamFailed
from furrow.core.extensions import extensions
from furrow.core.models import Job


class Recorder:
    """A handler that notes what it was asked and fails as told."""

    def __init__(self) -> None:
        self.runs: list[tuple[Any, Any, int]] = []
        self.failures: list[tuple[Any, str]] = []
        self.error: BaseException | None = None

    def run(self, job: Any) -> None:
        self.runs.append((tenant_id_or_none(), job.subject_id, job.attempt))
        if self.error is not None:
            raise self.error

    def failed(self, subject_id: Any, code: str, message: str) -> None:
        self.failures.append((subject_id, code))


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    handler = Recorder()
    extensions.job_handlers["test.record"] = handler
    yield handler
    del extensions.job_handlers["test.record"]


def enqueue(tenant: Any, subject: uuid.UUID | None = None, **options: Any) -> Job:
    with tenant_tx(tenant.id):
        return jobs.job_enqueue(
            kind="test.record", subject_id=subject or uuid.uuid4(), lane="test", **options
        )


def state_of(tenant: Any, job: Job) -> str:
    with tenant_tx(tenant.id):
        return Job.objects.get(id=job.id).state


def make_due(tenant: Any) -> None:
    with tenant_tx(tenant.id):
        Job.objects.update(run_after=timezone.now() - timedelta(seconds=1))


def expire_lease(tenant: Any, job: Job) -> None:
    with tenant_tx(tenant.id):
        Job.objects.filter(id=job.id).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_job_runs_once_as_its_tenant(cast, recorder):
    job = enqueue(cast.tenant)
    with tenant_context(None):
        assert jobs.run_next("test")
        assert not jobs.run_next("test")
    assert recorder.runs == [(cast.tenant.id, job.subject_id, 1)]
    assert state_of(cast.tenant, job) == Job.State.DONE


def test_active_job_of_a_subject_is_reused(cast, recorder):
    subject = uuid.uuid4()
    assert enqueue(cast.tenant, subject).id == enqueue(cast.tenant, subject).id


def test_job_queued_by_another_at_the_same_moment_is_reused(cast, recorder, monkeypatch):
    """Two workers that publish into one base: the second looked before the first had committed."""
    subject = uuid.uuid4()
    first = enqueue(cast.tenant, subject)
    looks = iter([Job.objects.none])
    look = Job.active
    monkeypatch.setattr(Job, "active", lambda: next(looks, look)())
    with tenant_tx(cast.tenant.id):
        before = Job.objects.count()
        again = jobs.job_enqueue(kind="test.record", subject_id=subject, lane="test")
        # The caller's own transaction goes on.
        assert Job.objects.count() == before
    assert again.id == first.id


def test_passing_failure_is_retried_then_given_up(cast, recorder):
    recorder.error = UpstreamFailed("down")
    job = enqueue(cast.tenant, max_attempts=2)
    jobs.run_next("test")
    assert state_of(cast.tenant, job) == Job.State.QUEUED
    make_due(cast.tenant)
    jobs.run_next("test")
    assert state_of(cast.tenant, job) == Job.State.FAILED
    assert recorder.failures == [(job.subject_id, "upstream_failed")]


def test_permanent_failure_is_not_retried(cast, recorder):
    recorder.error = Invalid("never")
    job = enqueue(cast.tenant)
    jobs.run_next("test")
    assert state_of(cast.tenant, job) == Job.State.FAILED
    assert len(recorder.runs) == 1


def test_crash_is_retried(cast, recorder):
    recorder.error = ZeroDivisionError()
    job = enqueue(cast.tenant)
    jobs.run_next("test")
    assert state_of(cast.tenant, job) == Job.State.QUEUED


def test_dead_workers_job_is_taken_over(cast, recorder):
    job = enqueue(cast.tenant)
    dead = jobs.claim("test")
    assert dead is not None
    expire_lease(cast.tenant, job)
    assert jobs.sweep()["requeued"] == 1
    assert jobs.run_next("test")
    assert recorder.runs[0][2] == 2
    with pytest.raises(jobs.LeaseLost):
        dead.renew()


def test_worker_that_dies_too_often_gives_the_job_up(cast, recorder):
    job = enqueue(cast.tenant, max_attempts=1)
    jobs.claim("test")
    expire_lease(cast.tenant, job)
    assert jobs.sweep()["given_up"] == 1
    assert recorder.failures == [(job.subject_id, "worker_lost")]


def test_late_finish_of_a_lost_lease_changes_nothing(cast, recorder):
    job = enqueue(cast.tenant)
    slow = jobs.claim("test")
    expire_lease(cast.tenant, job)
    jobs.sweep()
    jobs.claim("test")
    jobs.run(slow)
    assert state_of(cast.tenant, job) == Job.State.RUNNING


def test_cancelled_job_stops_at_its_next_renewal(cast, recorder):
    job = enqueue(cast.tenant)
    running = jobs.claim("test")
    with tenant_tx(cast.tenant.id):
        assert jobs.job_cancel(kind="test.record", subject_id=job.subject_id)
    with pytest.raises(jobs.LeaseLost):
        running.renew()


def test_tenants_are_served_in_turn(cast, recorder):
    for _ in range(3):
        enqueue(cast.tenant)
    late = enqueue(cast.other_tenant)
    first, second = jobs.claim("test"), jobs.claim("test")
    assert first.tenant_id == cast.tenant.id
    assert (second.tenant_id, second.subject_id) == (cast.other_tenant.id, late.subject_id)


def test_who_queued_first_is_not_served_first_throughout(cast, recorder):
    """One worker, so that nothing runs while the next job is chosen."""
    for _ in range(3):
        enqueue(cast.tenant)
    for _ in range(2):
        enqueue(cast.other_tenant)
    while jobs.run_next("test"):
        pass
    mine, others = cast.tenant.id, cast.other_tenant.id
    assert [tenant for tenant, _, _ in recorder.runs] == [mine, others, mine, others, mine]


def test_who_goes_on_later_waits_for_the_others(cast, recorder):
    """Work in slices keeps its place in the queue, not its turn."""
    recorder.error = jobs.ContinueLater()
    enqueue(cast.tenant)
    assert jobs.run_next("test")
    recorder.error = None
    enqueue(cast.other_tenant)
    while jobs.run_next("test"):
        pass
    assert [tenant for tenant, _, _ in recorder.runs][1] == cast.other_tenant.id


def test_long_jobs_of_one_tenant_leave_a_slot(cast, recorder, settings):
    settings.JOBS_PER_TENANT = {"test": 2}
    for _ in range(3):
        enqueue(cast.tenant)
    running = [jobs.claim("test"), jobs.claim("test")]
    assert jobs.claim("test") is None
    other = enqueue(cast.other_tenant)
    claimed = jobs.claim("test")
    assert claimed is not None
    assert claimed.id == other.id
    jobs.run(running[0])
    assert jobs.claim("test") is not None


def test_finished_job_rings_for_those_that_had_to_wait(cast, recorder, monkeypatch):
    enqueue(cast.tenant)
    rung: list[str] = []
    monkeypatch.setattr(jobs, "ring", rung.append)
    assert jobs.run_next("test")
    assert not jobs.run_next("test")
    assert rung == ["test"]


def test_place_in_queue_counts_fairly(cast, recorder):
    for _ in range(5):
        enqueue(cast.tenant)
    mine = enqueue(cast.other_tenant)
    with tenant_tx(cast.other_tenant.id):
        assert jobs.place_in_queue(mine) == 1


def test_lost_doorbell_is_rung_again(cast, recorder, monkeypatch):
    rung: list[str] = []
    enqueue(cast.tenant)
    monkeypatch.setattr(jobs, "ring", rung.append)
    jobs.sweep()
    assert rung == ["test"]
