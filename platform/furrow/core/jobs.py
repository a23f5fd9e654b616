"""Background jobs: rows with a lease in PostgreSQL, woken by a doorbell through Celery. All times are the
database's, so that machines with wrong clocks cannot steal or strand a job.

A lost bell is rung again by the sweeper, a dead worker's lease runs out, a second run of the same job finds
the lease taken: so a job is run at least once, and its handler makes running twice harmless. Tenants are
served in turn: the next job belongs to the tenant with the fewest running ones, among these to the one that
was served longest ago, and none runs more at a time than its share of the lane, so that long jobs of one leave
a worker for the others.
"""

import threading
import uuid
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import (
    IntegrityError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django.db.models import F
from django.db.models.functions import Now
from kombu.exceptions import KombuError

from furrow.core.context import current_tenant_id, tenant_context, tenant_tx, unscoped
from furrow.core.errors import AppError, UpstreamFailed
from furrow.core.extensions import extensions
from furrow.core.logs import get_logger
from furrow.core.models import Job

LEASE = timedelta(seconds=30)
RENEW_EVERY_S = 10.0
RETRY_DELAY = timedelta(seconds=2)
_NO_LIMIT = 1_000_000
ONE_ACTIVE = "job_one_active_per_subject"
RUN_TASK = "furrow.core.tasks.job_run_task"

log = get_logger(__name__)


class LeaseLost(Exception):
    """Another worker owns the job now; whatever this one did must not be kept."""


class ContinueLater(Exception):
    """Raised by a handler of long work after a slice of it: the job goes back to the queue with its
    attempts reset, so that other tenants get their turn in between.
    """


@dataclass
class LeasedJob:
    """A claimed job as its handler sees it."""

    id: UUID
    tenant_id: UUID
    subject_id: UUID
    kind: str
    attempt: int
    lease_token: UUID
    is_lost: threading.Event = field(default_factory=threading.Event)

    def renew(self) -> None:
        """Extends the lease; raises `LeaseLost` when another worker took over or the job was cancelled."""
        with tenant_tx(self.tenant_id):
            kept = Job.objects.filter(
                id=self.id, lease_token=self.lease_token, state=Job.State.RUNNING
            ).update(lease_until=Now() + LEASE)
        if not kept or self.is_lost.is_set():
            self.is_lost.set()
            raise LeaseLost(str(self.id))


def job_enqueue(
    *, kind: str, subject_id: UUID, lane: str, max_attempts: int = 3, delay: timedelta | None = None
) -> Job:
    """Queues work on `subject_id` inside the caller's transaction; an active job of that kind is reused."""
    wanted = {"kind": kind, "subject_id": subject_id}
    while True:
        if (active := Job.active().filter(**wanted).first()) is not None:
            return active
        try:
            with transaction.atomic():
                job = Job.objects.create(
                    tenant_id=current_tenant_id(),
                    lane=lane,
                    max_attempts=max_attempts,
                    run_after=Now() + (delay or timedelta()),
                    **wanted,
                )
                job.refresh_from_db(fields=["run_after"])
            break
        except IntegrityError as error:
            # Another transaction queued the same work since we looked, and has committed by now.
            if ONE_ACTIVE not in str(error):
                raise
    transaction.on_commit(lambda: ring(lane))
    return job  # type: ignore[no-any-return]


def ring(lane: str) -> None:
    """Asks one worker of `lane` to look for work. A broker that is away costs delay, never the job."""
    try:
        current_app.send_task(RUN_TASK, args=[lane], queue=lane, retry=False, ignore_result=True)
    except (OSError, KombuError) as error:
        log.warning("doorbell_failed", lane=lane, error=type(error).__name__)


def job_cancel(*, kind: str, subject_id: UUID) -> bool:
    """Cancels an active job; a running handler notices at its next `renew`."""
    return bool(
        Job.active()
        .filter(kind=kind, subject_id=subject_id)
        .update(state=Job.State.CANCELLED, finished_at=Now())
    )


# The fewest running first, then the tenant served longest ago, then its longest waiting job: one tenant's thousand
# files, queued first, cannot hold up another's one. Two claims at the same moment may exceed the share by one or
# serve a tenant twice; that costs fairness once, not correctness.
_CLAIM = """
WITH waiting AS (
  SELECT DISTINCT tenant_id FROM core_job
   WHERE lane = %(lane)s AND state = 'queued' AND run_after <= statement_timestamp()),
busy AS (
  SELECT tenant_id, count(*) AS running FROM core_job
   WHERE lane = %(lane)s AND state = 'running' GROUP BY tenant_id),
turn AS (
  SELECT w.tenant_id, coalesce(b.running, 0) AS running, s.served_at
    FROM waiting w LEFT JOIN busy b USING (tenant_id)
    JOIN LATERAL (
      SELECT max(j.started_at) AS served_at FROM core_job j
       WHERE j.tenant_id = w.tenant_id AND j.lane = %(lane)s) s ON true)
UPDATE core_job SET state = 'running', attempts = attempts + 1, lease_token = %(token)s,
       lease_until = statement_timestamp() + %(lease)s, started_at = statement_timestamp()
 WHERE id = (
    SELECT j.id FROM core_job j JOIN turn USING (tenant_id)
     WHERE j.lane = %(lane)s AND j.state = 'queued' AND j.run_after <= statement_timestamp()
       AND turn.running < %(share)s
     ORDER BY turn.running, turn.served_at NULLS FIRST, j.run_after
     LIMIT 1 FOR UPDATE OF j SKIP LOCKED)
   AND state = 'queued'
RETURNING id, tenant_id, subject_id, kind, attempts
"""


def claim(lane: str) -> LeasedJob | None:
    """Takes the next due job of `lane`, fair between tenants, or None."""
    token = uuid.uuid4()
    with unscoped("claim the next job of any tenant"), connection.cursor() as cursor:
        share = settings.JOBS_PER_TENANT.get(lane, _NO_LIMIT)
        values: dict[str, Any] = {"token": token, "lease": LEASE, "lane": lane, "share": share}
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    if row is None:
        return None
    job_id, tenant_id, subject_id, kind, attempt = row
    return LeasedJob(job_id, tenant_id, subject_id, kind, attempt, token)


def run_next(lane: str) -> bool:
    """Claims and runs one job; says whether there was one."""
    job = claim(lane)
    if job is None:
        return False
    run(job)
    # A bell may have found nothing but jobs of tenants at their share; it is rung again for them.
    ring(lane)
    return True


def run(job: LeasedJob) -> None:
    """Runs a claimed job to its end and records how it went. One of the four edges that catch everything."""
    handler = extensions.job_handlers[job.kind]
    with tenant_context(job.tenant_id), _kept_alive(job):
        try:
            handler.run(job)
        except LeaseLost:
            log.info("job_lease_lost", job=str(job.id), kind=job.kind)
        except ContinueLater:
            _requeue(job)
        except AppError as error:
            can_retry = isinstance(error, UpstreamFailed) and not error.permanent
            _finish_failed(job, code=error.code, message=str(error.message), can_retry=can_retry)
        except Exception as error:
            log.exception("job_crashed", job=str(job.id), kind=job.kind)
            _finish_failed(job, code="internal", message=type(error).__name__, can_retry=True)
        else:
            _finish(job, Job.State.DONE)


def _requeue(job: LeasedJob) -> None:
    with tenant_tx(job.tenant_id):
        kept = Job.objects.filter(
            id=job.id, lease_token=job.lease_token, state=Job.State.RUNNING
        ).update(state=Job.State.QUEUED, attempts=0, run_after=Now(), lease_token=None)
        if kept:
            row = Job.objects.get(id=job.id)
            transaction.on_commit(lambda: ring(row.lane))


def _finish(job: LeasedJob, state: str, code: str = "", message: str = "") -> bool:
    with tenant_tx(job.tenant_id):
        return bool(
            Job.objects.filter(
                id=job.id, lease_token=job.lease_token, state=Job.State.RUNNING
            ).update(state=state, finished_at=Now(), error_code=code, error_message=message)
        )


def _finish_failed(job: LeasedJob, *, code: str, message: str, can_retry: bool) -> None:
    with tenant_tx(job.tenant_id):
        row = Job.objects.select_for_update().filter(id=job.id, lease_token=job.lease_token).first()
        if row is None or row.state != Job.State.RUNNING:
            return
        if can_retry and row.attempts < row.max_attempts:
            row.state = Job.State.QUEUED
            row.run_after = Now() + _retry_delay(job.kind, row.attempts)
            row.error_code, row.error_message = code, message
            row.save(update_fields=["state", "run_after", "error_code", "error_message"])
            return
        _finish(job, Job.State.FAILED, code, message)
        extensions.job_handlers[job.kind].failed(job.subject_id, code, message)


def _retry_delay(kind: str, attempts: int) -> timedelta:
    """Doubled each time, or what the handler says in `retry_delays`, whose last one holds on."""
    delays: Sequence[timedelta] = getattr(extensions.job_handlers[kind], "retry_delays", ())
    if not delays:
        return RETRY_DELAY * int(2 ** (attempts - 1))
    return delays[min(attempts, len(delays)) - 1]


@contextmanager
def _kept_alive(job: LeasedJob) -> Iterator[None]:
    """Renews the lease from a thread while the handler works, so that only a dead worker loses it."""
    done = threading.Event()

    def renew_until_done() -> None:
        while not done.wait(RENEW_EVERY_S):
            try:
                job.renew()
            except LeaseLost:
                return
            except OperationalError:
                log.warning("lease_renewal_failed", job=str(job.id))
            finally:
                close_old_connections()

    thread = threading.Thread(target=renew_until_done, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()


def sweep() -> dict[str, int]:
    """Returns jobs of dead workers to the queue, gives up those out of attempts, rings for whatever is due."""
    with unscoped("sweep expired leases of every tenant"):
        expired = Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=Now())
        given_up = list(
            expired.filter(attempts__gte=F("max_attempts")).values_list(
                "id", "tenant_id", "subject_id", "kind", "attempts", "lease_token"
            )
        )
        requeued = expired.filter(attempts__lt=F("max_attempts")).update(
            state=Job.State.QUEUED, run_after=Now(), lease_token=None
        )
        due = list(
            Job.objects.filter(state=Job.State.QUEUED, run_after__lte=Now()).values_list(
                "lane", flat=True
            )[:200]
        )
    for job_id, tenant_id, subject_id, kind, attempts, token in given_up:
        leased = LeasedJob(job_id, tenant_id, subject_id, kind, attempts, token)
        _finish_failed(
            leased,
            code="worker_lost",
            message="The worker stopped several times while doing this.",
            can_retry=False,
        )
    for lane in due:
        ring(lane)
    return {"requeued": requeued, "given_up": len(given_up), "rung": len(due)}


def place_in_queue(job: Job) -> int:
    """How many jobs will start before this one if nothing new arrives; 0 when it runs or is next."""
    return places_in_queue([job])[job]


def places_in_queue(jobs: Sequence[Job]) -> dict[Job, int]:
    """The same for many jobs of the current tenant, in two queries."""
    lanes = sorted({job.lane for job in jobs if job.state == Job.State.QUEUED})
    if not lanes:
        return dict.fromkeys(jobs, 0)
    own: dict[str, list[datetime]] = {lane: [] for lane in lanes}
    queued = Job.objects.filter(lane__in=lanes, state=Job.State.QUEUED).order_by("run_after")
    for lane, run_after in queued.values_list("lane", "run_after"):
        own[lane].append(run_after)
    with unscoped("count the queue ahead of a job"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT lane, count(*) FROM core_job WHERE lane = ANY(%s) AND state = 'queued'"
            " AND tenant_id <> %s GROUP BY lane, tenant_id",
            [lanes, jobs[0].tenant_id],
        )
        others = cursor.fetchall()
    places = dict.fromkeys(jobs, 0)
    for job in jobs:
        if job.state == Job.State.QUEUED:
            ahead = bisect_left(own[job.lane], job.run_after)
            # Served in turn, each other tenant gets at most as many starts as we have jobs up to this one.
            places[job] = ahead + sum(min(n, ahead + 1) for lane, n in others if lane == job.lane)
    return places
