"""The background jobs of this app: their kinds and how they are asked for."""

from datetime import timedelta
from uuid import UUID

from furrow.core.jobs import job_enqueue

INGEST = "knowledge.ingest"
EMBED = "knowledge.embed"
COMPACT = "knowledge.compact"
VECTOR_INDEX = "knowledge.vector_index"
RELATIONS = "knowledge.relations"
DISAGREEMENTS = "knowledge.disagreements"
LANE = "ingest"


def ingest_enqueue(version_id: UUID) -> None:
    job_enqueue(kind=INGEST, subject_id=version_id, lane=LANE)


def embed_enqueue(knowledge_base_id: UUID, delay: timedelta | None = None) -> None:
    """Embeds whatever of the base lacks a vector. Waits out an absent model server for over an hour."""
    job_enqueue(kind=EMBED, subject_id=knowledge_base_id, lane=LANE, max_attempts=11, delay=delay)


def compaction_enqueue(knowledge_base_id: UUID) -> None:
    job_enqueue(kind=COMPACT, subject_id=knowledge_base_id, lane=LANE)


def vector_index_enqueue(knowledge_base_id: UUID) -> None:
    job_enqueue(kind=VECTOR_INDEX, subject_id=knowledge_base_id, lane=LANE)


def relations_enqueue(knowledge_base_id: UUID) -> None:
    """A little later, so that many documents at once are counted once."""
    job_enqueue(kind=RELATIONS, subject_id=knowledge_base_id, lane=LANE, delay=timedelta(seconds=5))


def disagreements_enqueue(knowledge_base_id: UUID) -> None:
    """A little later, for the same reason."""
    delay = timedelta(seconds=5)
    job_enqueue(kind=DISAGREEMENTS, subject_id=knowledge_base_id, lane=LANE, delay=delay)
