"""The job that answers a question: every contract by itself, so that look-alikes are never mixed."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F

from apps.contracts import selectors
from apps.contracts.asking.alike import alike_among, prints_of
from apps.contracts.asking.answers import Found, Line, answer_write, quotes_find
from apps.contracts.models import Contract, ContractVersion, Inquiry, InquiryAnswer
from apps.contracts.reading import Contract as Read
from apps.contracts.reviewing.source import read_of
from furrow.assistants.language import language_of
from furrow.conversations.spent import turn_spent
from furrow.core.context import tenant_context, tenant_tx
from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.core.extensions import JobRun
from furrow.metering.attribution import attributed

# Of all contracts the newest; of those that answer the best.
MOST_READ, MOST_ANSWERS = 60, 12


@dataclass
class _Candidate:
    contract: Contract
    version: ContractVersion
    read: Read
    found: Found
    lines: list[Line] = field(default_factory=list)
    source: str = "quoted"


class InquiryHandler:
    """Runs "contracts.ask" on an inquiry. A second run answers anew; answers are there once."""

    def run(self, job: JobRun) -> None:
        with tenant_tx(job.tenant_id):
            inquiry = Inquiry.objects.filter(id=job.subject_id).first()
            if inquiry is None or not inquiry.is_active:
                return
            contracts = _wanted(inquiry)
            Inquiry.objects.filter(id=inquiry.id).update(
                state=Inquiry.State.RUNNING, total=len(contracts), done=0
            )
            job.renew()
        best = self._candidates(job, inquiry, contracts)
        note, dropped = "", 0
        if inquiry.with_model:
            payer = {**inquiry.payer, "turn_id": str(inquiry.id), "rung": "contracts"}
            with tenant_context(job.tenant_id), attributed(**payer):
                note, dropped = _written(job, inquiry, best)
        _store(job, inquiry, best, others=len(contracts), note=note, dropped=dropped)

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        Inquiry.objects.filter(id=subject_id).exclude(state=Inquiry.State.DONE).update(
            state=Inquiry.State.FAILED
        )

    def _candidates(
        self, job: JobRun, inquiry: Inquiry, contracts: list[Contract]
    ) -> list[_Candidate]:
        """Those that say something of it. A contract that was chosen by hand is kept even if it says little."""
        found = []
        for contract in contracts:
            with tenant_tx(job.tenant_id):
                version = selectors.version_newest(contract)
                is_read = version.state == ContractVersion.State.READY
                read = read_of(version) if is_read else None
                Inquiry.objects.filter(id=inquiry.id).update(done=F("done") + 1)
                job.renew()
            if read is not None:
                quotes = quotes_find(inquiry.text, read, contract.title)
                if quotes.lines:
                    found.append(_Candidate(contract, version, read, quotes, quotes.lines))
        found.sort(key=lambda one: -one.found.confidence)
        return found[:MOST_ANSWERS]


def _wanted(inquiry: Inquiry) -> list[Contract]:
    rows = Contract.objects.filter(deleted_at=None).order_by("-created_at", "-id")
    if inquiry.scope:
        return list(rows.filter(id__in=inquiry.scope)[:MOST_READ])
    every = list(rows[:MOST_READ])
    named = [contract for contract in every if _is_named(contract, inquiry.text)]
    return named or every


def _is_named(contract: Contract, question: str) -> bool:
    """By its title, or by a party's name."""
    parties = selectors.version_newest(contract).parties
    names = [contract.title, *(party["name"] for party in parties)]
    asked = question.casefold()
    return any(len(name) > 3 and name.casefold() in asked for name in names)


def _written(job: JobRun, inquiry: Inquiry, best: list[_Candidate]) -> tuple[str, int]:
    """One call a contract, with its passages and no other's. Ends early without money or server: quotes stand then."""
    dropped = 0
    for one in best:
        try:
            lines, left = answer_write(
                inquiry.text,
                one.read,
                one.contract.title,
                one.found,
                language=language_of(inquiry.text),
            )
        except LimitReached:
            return "budget", dropped
        except UpstreamFailed:
            return "unavailable", dropped
        dropped += left
        if lines:
            one.lines, one.source = lines, "model"
        job.renew()
    return "", dropped


def _store(
    job: JobRun, inquiry: Inquiry, best: list[_Candidate], *, others: int, note: str, dropped: int
) -> None:
    alike = alike_among({one.contract.id: prints_of(one.read.text) for one in best})
    rows = [
        InquiryAnswer(
            tenant_id=job.tenant_id,
            inquiry=inquiry,
            contract=one.contract,
            version=one.version,
            position=position,
            source=one.source,
            lines=[line.to_json() for line in one.lines],
            alike=[str(other) for other in alike[one.contract.id]],
        )
        for position, one in enumerate(best)
    ]
    with tenant_tx(job.tenant_id):
        job.renew()
        InquiryAnswer.objects.bulk_create(rows, ignore_conflicts=True)
        Inquiry.objects.filter(id=inquiry.id).update(
            state=Inquiry.State.DONE,
            others=others - len(best),
            note=note,
            dropped=dropped,
            **_spent(inquiry),
        )


def _spent(inquiry: Inquiry) -> dict[str, Any]:
    spent = turn_spent(inquiry.id, since=inquiry.created_at)
    return {"cost_amount": spent.amount, "cost_currency": spent.currency}
