"""The background jobs of this app: their kinds and how they are asked for."""

from uuid import UUID

from furrow.core.jobs import job_enqueue

READ = "contracts.read"
REVIEW = "contracts.review"
LANE = "ingest"


def read_enqueue(version_id: UUID) -> None:
    job_enqueue(kind=READ, subject_id=version_id, lane=LANE)


def review_enqueue(run_id: UUID) -> None:
    job_enqueue(kind=REVIEW, subject_id=run_id, lane=LANE)
