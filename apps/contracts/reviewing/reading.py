"""The job that reads a version: its words, kind, parties and days."""

from collections.abc import Callable
from dataclasses import asdict

from django.conf import settings

from apps.contracts.checks.facts import kind_of
from apps.contracts.models import Contract, ContractVersion, Obligation
from apps.contracts.reading import Contract as Read
from apps.contracts.reading.headlines import headlines_read
from apps.contracts.reviewing.days import days_of
from apps.contracts.reviewing.source import parsed_apply, read_of
from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid
from furrow.core.extensions import JobRun
from furrow.core.logs import get_logger
from furrow.knowledge.failures import failure_message
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseLimits
from furrow.knowledge.parsing.runner import parse_file
from furrow.knowledge.storage import file_path

Report = Callable[[int, int], None]
log = get_logger(__name__)


class ReadHandler:
    """Runs "contracts.read" on a version. A second run finds it read and does nothing."""

    def run(self, job: JobRun) -> None:
        version_read(job, _load(job))

    def failed(self, subject_id: object, code: str, message: str) -> None:
        ContractVersion.objects.filter(id=subject_id, state=ContractVersion.State.QUEUED).update(
            state=ContractVersion.State.FAILED, error_code=code
        )


def _load(job: JobRun) -> ContractVersion | None:
    with tenant_tx(job.tenant_id):
        found: ContractVersion | None = (
            ContractVersion.objects.filter(id=job.subject_id).select_related("contract").first()
        )
    return found


def version_read(
    job: JobRun, version: ContractVersion | None, on_progress: Report | None = None
) -> None:
    """Nothing slow happens inside a transaction. Raises `Invalid` with the reader's code."""
    if version is None or version.state == ContractVersion.State.READY:
        return
    if version.contract.deleted_at is not None:
        return
    parsed = _parse(version, on_progress)
    parsed_apply(version, parsed)
    read = read_of(version)
    if not read.source.paragraphs:
        raise _failure("empty_scan")
    version.parties, version.facts = _parties(read), _facts(read)
    version.state, version.error_code = ContractVersion.State.READY, ""
    kind = kind_of(read)
    with tenant_tx(job.tenant_id):
        # The job first, then the contract: so does whoever removes it.
        job.renew()
        Contract.objects.filter(id=version.contract_id, kind="").update(kind=kind)
        version.save()
        Obligation.objects.bulk_create(
            [
                Obligation(
                    tenant_id=job.tenant_id,
                    version=version,
                    what=day.what,
                    due_on=day.due_on,
                    who=day.who[:60],
                    reckoned=day.reckoned,
                    quote=day.quote,
                    start=day.start,
                    end=day.end,
                    page=read.source.page_at(day.start),
                )
                for day in days_of(read)
            ],
            ignore_conflicts=True,
        )


def _parse(version: ContractVersion, on_progress: Report | None) -> ParsedDocument:
    path = file_path(version.file_key)
    if not path.is_file():
        raise _failure("file_missing")
    limits = ParseLimits(
        max_bytes=settings.UPLOAD_MAX_BYTES, turn_path=str(settings.VAR_DIR / "ocr.lock")
    )
    try:
        return parse_file(
            path,
            file_name=version.file_name,
            content_type=version.content_type,
            limits=limits,
            on_progress=on_progress,
        )
    except ParseFailure as failure:
        log.info("contract_parse_failed", version=str(version.id), code=failure.code)
        raise _failure(failure.code) from failure


def _parties(read: Read) -> list[dict[str, object]]:
    return [
        {"roles": list(p.roles), "name": p.name, "start": p.start, "end": p.end}
        for p in read.parties
        if not p.is_signature
    ][:20]


def _facts(read: Read) -> dict[str, str]:
    found = asdict(headlines_read(read.text))
    return {name: str(value)[:200] for name, value in found.items() if value}


def _failure(code: str) -> Invalid:
    return Invalid(failure_message(code, "en"), code=code)
