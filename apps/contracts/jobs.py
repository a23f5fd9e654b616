"""The background jobs of this app: their kinds and how they are asked for."""

from uuid import UUID

from furrow.core.jobs import job_enqueue

READ = "contracts.read"
REVIEW = "contracts.review"
ASK = "contracts.ask"
LANE = "ingest"


def read_enqueue(version_id: UUID) -> None:
    job_enqueue(kind=READ, subject_id=version_id, lane=LANE)


def review_enqueue(run_id: UUID) -> None:
    job_enqueue(kind=REVIEW, subject_id=run_id, lane=LANE)


def ask_enqueue(inquiry_id: UUID) -> None:
    job_enqueue(kind=ASK, subject_id=inquiry_id, lane=LANE)
