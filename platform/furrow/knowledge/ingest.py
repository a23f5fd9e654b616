"""The job that reads a document version and makes it searchable.

Each stage notes on the version row that it is done, so a second run, after a crash or a retry, takes up
where the first one stopped. Nothing slow happens inside a transaction, and nothing of a version can be
found before the one transaction that publishes it.
"""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings

from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid, LimitReached, UpstreamFailed
from furrow.core.extensions import JobRun
from furrow.core.logs import get_logger
from furrow.gateway.embeddings import BATCH_SIZE, embed_texts
from furrow.knowledge import vectors
from furrow.knowledge.bulk import insert_rows
from furrow.knowledge.failures import failure_message
from furrow.knowledge.fetching import page_fetch
from furrow.knowledge.findings import findings_replace, version_review
from furrow.knowledge.models import Chunk, Document, DocumentVersion
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseLimits
from furrow.knowledge.parsing.runner import parse_file
from furrow.knowledge.publishing import version_abandon, version_publish
from furrow.knowledge.reading import chunk_rows, parsed_apply, parsed_restore
from furrow.knowledge.storage import file_path

PROGRESS_EVERY_S = 0.5
VECTORS_PENDING = {
    "code": "vectors_pending",
    "message": "Found by its words for now; by meaning as soon as the model server answers.",
}

log = get_logger(__name__)


class IngestHandler:
    """Runs "knowledge.ingest" on a document version."""

    def run(self, job: JobRun) -> None:
        ingest = _Ingest(job)
        try:
            if ingest.load():
                ingest.run()
        except _Superseded:
            log.info("version_superseded", version=str(job.subject_id))
        with tenant_tx(job.tenant_id):
            Chunk.objects.filter(
                version_id=job.subject_id, version__state=DocumentVersion.State.RETIRED
            ).delete()

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        version = DocumentVersion.objects.filter(id=subject_id).only("id", "document_id").first()
        if version is not None:
            version_abandon(version.id, version.document_id, code)


class _Superseded(Exception):
    """Newer words were uploaded or the document was deleted: the rest of the work is pointless."""


class _Ingest:
    """Rows are always written in the order document, version, job, as uploads lock them, and the lease is
    renewed in the transaction of every write: a worker that lost it rolls back.
    """

    def __init__(self, job: JobRun) -> None:
        self._job = job
        self._version = DocumentVersion()
        self._document = Document()

    def load(self) -> bool:
        """Whether there is still something to do."""
        with tenant_tx(self._job.tenant_id):
            version = (
                DocumentVersion.objects.filter(id=self._job.subject_id)
                .select_related("document__knowledge_base")
                .first()
            )
        if version is None or version.state != DocumentVersion.State.BUILDING:
            return False
        self._version, self._document = version, version.document
        return self._document.deleted_at is None

    def run(self) -> None:
        if not self._is_done("parsing"):
            self._parse()
        if not self._is_done("cleaning"):
            self._clean()
        if not self._is_done("embedding"):
            self._embed()
        version_publish(self._job, self._version.id, self._document.id)

    def _parse(self) -> None:
        started = self._stage_start("parsing")
        if not self._version.file_key:
            page_fetch(self._job, self._version, self._document.source_url)
        path = file_path(self._version.file_key)
        if not path.is_file():
            raise _failure("file_missing")
        try:
            parsed = parse_file(
                path,
                file_name=self._version.file_name,
                content_type=self._version.content_type,
                limits=ParseLimits(
                    max_bytes=settings.UPLOAD_MAX_BYTES,
                    turn_path=str(settings.VAR_DIR / "ocr.lock"),
                ),
                on_progress=self._progress_throttled("parsing"),
            )
        except ParseFailure as failure:
            log.info("parse_failed", version=str(self._version.id), code=failure.code)
            raise _failure(failure.code) from failure
        parsed_apply(self._version, parsed)
        if not self._version.stages.get("named") and parsed.title:
            self._document.title = parsed.title[:300]
        self._stage_done(
            "parsing",
            started,
            version_fields=("text", "blocks", "pages", "page_count", "language", "warnings"),
            document_fields=("title",),
        )

    def _clean(self) -> None:
        started = self._stage_start("cleaning")
        parsed = parsed_restore(self._version)
        with tenant_tx(self._job.tenant_id):
            review = version_review(self._document, self._version, parsed)
        chunks = chunk_rows(self._version, self._document, parsed, review)
        if not any(chunk.is_enabled for chunk in chunks):
            raise _failure("no_text")
        self._version.chunk_count = len(chunks)
        with tenant_tx(self._job.tenant_id):
            # What a run that died in between may have left.
            Chunk.objects.filter(version=self._version).delete()
            insert_rows(chunks)
            findings_replace(self._version, review.findings)
            self._stage_done("cleaning", started, version_fields=("chunk_count",))

    def _embed(self) -> None:
        started = self._stage_start("embedding")
        model = self._document.knowledge_base.embedding_model or settings.EMBEDDINGS_MODEL
        try:
            self._version.stages["embedding"]["model"] = model
            self._embed_all(model)
        except (UpstreamFailed, LimitReached) as error:
            # Words alone find most things: the document goes live and its vectors come later.
            log.warning("embedding_postponed", version=str(self._version.id), code=error.code)
            self._version.warnings = [*self._version.warnings, VECTORS_PENDING]
            self._stage_done("embedding", started, version_fields=("warnings",), state="postponed")
        else:
            self._stage_done("embedding", started)

    def _embed_all(self, model: str) -> None:
        version_id, base_id = self._version.id, self._document.knowledge_base_id
        with tenant_tx(self._job.tenant_id):
            total = Chunk.objects.filter(version_id=version_id, is_enabled=True).count()
        while True:
            with tenant_tx(self._job.tenant_id):
                chunks = vectors.chunks_without_vector(version_id, model, BATCH_SIZE)
                left = len(chunks)
            if not left:
                return
            embedded = embed_texts(
                [embedding_text(c) for c in chunks], model=model, priority="batch"
            )
            pairs = [(chunk.id, vector) for chunk, vector in zip(chunks, embedded, strict=True)]
            with tenant_tx(self._job.tenant_id):
                vectors.vectors_add(base_id, model, pairs, is_building=True)
                done = self._version.stages["embedding"].get("done", 0) + left
                self._progress_write("embedding", min(done, total), total)

    def _is_done(self, stage: str) -> bool:
        return self._version.stages.get(stage, {}).get("state") in {"done", "postponed"}

    def _stage_start(self, stage: str) -> float:
        noted = self._version.stages.get(stage, {})
        self._version.stages[stage] = {**noted, "state": "running"}
        with tenant_tx(self._job.tenant_id):
            self._document_update(status=stage, progress_done=0, progress_total=0, error_code="")
            self._version.save(update_fields=["stages"])
            self._job.renew()
        return time.monotonic()

    def _stage_done(
        self,
        stage: str,
        started: float,
        *,
        version_fields: tuple[str, ...] = (),
        document_fields: tuple[str, ...] = (),
        state: str = "done",
    ) -> None:
        seconds = round(time.monotonic() - started, 2)
        noted = self._version.stages[stage]
        self._version.stages[stage] = {**noted, "state": state, "seconds": seconds}
        with tenant_tx(self._job.tenant_id):
            if document_fields:
                values = {name: getattr(self._document, name) for name in document_fields}
                self._document_update(**values)
            self._version.save(update_fields=["stages", *version_fields])
            self._job.renew()

    def _progress_throttled(self, stage: str) -> Callable[[int, int], None]:
        last = time.monotonic()

        def report(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= PROGRESS_EVERY_S:
                last = time.monotonic()
                with tenant_tx(self._job.tenant_id):
                    self._progress_write(stage, done, total)

        return report

    def _progress_write(self, stage: str, done: int, total: int) -> None:
        self._version.stages[stage].update(done=done, total=total)
        self._document_update(progress_done=done, progress_total=total)
        self._version.save(update_fields=["stages"])
        self._job.renew()

    def _document_update(self, **values: Any) -> None:
        """Stops the work when this version is not the one that is wanted any more."""
        wanted = DocumentVersion.objects.filter(
            id=self._version.id, state=DocumentVersion.State.BUILDING
        )
        changed = Document.objects.filter(
            id=self._document.id, deleted_at=None, id__in=wanted.values("document_id")
        ).update(**values)
        if not changed:
            raise _Superseded


def embedding_text(chunk: Chunk) -> str:
    """What is embedded of a chunk: its surroundings help to tell like passages apart."""
    return f"{chunk.header}\n{chunk.text}" if chunk.header else chunk.text


def _failure(code: str) -> Invalid:
    return Invalid(failure_message(code, "en"), code=code)
