"""The files a review can be taken away as, by the names they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from apps.contracts import selectors
from apps.contracts.export.tables import findings_csv, findings_json, obligations_ics
from apps.contracts.models import Contract, ReviewRun
from apps.contracts.reviewing.outcome import judged, run_latest
from furrow.core.errors import Conflict, NotFound

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
NAMES = ("redline.docx", "report.pdf", "findings.csv", "findings.json", "obligations.ics")


@dataclass(frozen=True)
class _Asked:
    contract: Contract
    author: str
    with_open: bool

    @property
    def run(self) -> ReviewRun:
        found = run_latest(self.contract.id)
        if found is None:
            raise Conflict(_("This contract was not reviewed yet."), code="not_reviewed")
        return found


def download(
    contract: Contract, name: str, *, author: str, with_open: bool = False
) -> HttpResponse:
    """`name` is one of `NAMES`."""
    make = _MAKERS.get(name)
    if make is None:
        raise NotFound(_("There is no such file."))
    response = make(_Asked(contract, author, with_open))
    response["Content-Disposition"] = content_disposition_header(
        True, f"{contract.title[:80]} {name}"
    )
    response["Cache-Control"] = "private, no-store"
    return response


def _redline(asked: _Asked) -> HttpResponse:
    from apps.contracts.export.redline import redline_export  # noqa: PLC0415  a library of Word files

    run = asked.run
    export = redline_export(
        run.version,
        judged(run),
        author=asked.author,
        at=timezone.now(),
        with_open=asked.with_open,
    )
    response = HttpResponse(export.document, content_type=WORD)
    response["Furrow-Left-Out"] = str(len(export.left_out))
    return response


def _report(asked: _Asked) -> HttpResponse:
    from apps.contracts.export.report import report_pdf  # noqa: PLC0415  a drawing library

    run = asked.run
    dates = list(selectors.obligations_of(run.version))
    content = report_pdf(run, judged(run), judged(run, is_passed=True), dates)
    return HttpResponse(content, content_type="application/pdf")


def _csv(asked: _Asked) -> HttpResponse:
    return HttpResponse(findings_csv(judged(asked.run)), content_type="text/csv; charset=utf-8")


def _json(asked: _Asked) -> HttpResponse:
    run = asked.run
    body = {
        "contract_id": run.version.contract_id,
        "run_id": run.id,
        "version": run.version.number,
        "sha256": run.version.sha256,
        "findings": findings_json(judged(run)),
        "passed": findings_json(judged(run, is_passed=True)),
    }
    return JsonResponse(body, encoder=DjangoJSONEncoder, json_dumps_params={"ensure_ascii": False})


def _calendar(asked: _Asked) -> HttpResponse:
    version = selectors.version_newest(asked.contract)
    rows = selectors.obligations_of(version).filter(is_done=False)
    return HttpResponse(obligations_ics(rows), content_type="text/calendar; charset=utf-8")


_MAKERS: dict[str, Callable[[_Asked], HttpResponse]] = {
    "redline.docx": _redline,
    "report.pdf": _report,
    "findings.csv": _csv,
    "findings.json": _json,
    "obligations.ics": _calendar,
}
