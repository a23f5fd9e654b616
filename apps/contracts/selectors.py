"""Reads of contract review. All run inside `tenant_tx`; another tenant's id is not found."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import (
    Exists,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
)
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.contracts.models import (
    Contract,
    ContractVersion,
    Finding,
    Inquiry,
    InquiryAnswer,
    Obligation,
    Playbook,
    PlaybookVersion,
    ReviewRun,
)
from apps.contracts.playbook.rules import RuleSpec
from furrow.core.errors import NotFound
from furrow.tenants.models import Membership

# Megabytes that lists and polls do without.
_WORDS = ("text", "layout")
_OF_VERSION = ("version__text", "version__layout")


def contracts_list(query: str = "", kind: str = "") -> QuerySet[Any]:
    """With the newest version's state, the newest run's, and the next day that is due."""
    newest = ContractVersion.objects.filter(contract=OuterRef("pk")).order_by("-number")
    runs = ReviewRun.objects.filter(version__contract=OuterRef("pk")).order_by("-created_at")
    due = (
        Obligation.objects.filter(
            version__contract=OuterRef("pk"),
            version__number=Subquery(
                ContractVersion.objects.filter(contract=OuterRef("version__contract"))
                .order_by("-number")
                .values("number")[:1]
            ),
            is_done=False,
            due_on__gte=timezone.localdate(),
        )
        .order_by()
        .values("version__contract")
        .annotate(first=Min("due_on"))
        .values("first")
    )
    rows: QuerySet[Any] = Contract.objects.filter(deleted_at=None)
    if query:
        rows = rows.filter(Q(title__icontains=query) | Exists(_with_party(query)))
    if kind:
        rows = rows.filter(kind=kind)
    rows = rows.annotate(
        version_state=Subquery(newest.values("state")[:1]),
        run_state=Subquery(runs.values("state")[:1]),
        next_due=Subquery(due[:1]),
    )
    return rows.order_by("-created_at", "-id")


def _with_party(query: str) -> QuerySet[Any]:
    """Versions of the contract at hand that name such a party."""
    names = Func(
        "parties",
        function="jsonb_path_query_array",
        template="%(function)s(%(expressions)s, '$[*].name')::text",
        output_field=TextField(),
    )
    rows: QuerySet[Any] = ContractVersion.objects.filter(contract=OuterRef("pk"))
    found: QuerySet[Any] = rows.annotate(party_names=names).filter(party_names__icontains=query)
    return found


def contract_get(contract_id: UUID, *, include_deleted: bool = False) -> Contract:
    rows = Contract.objects.filter(id=contract_id)
    found: Contract | None = (rows if include_deleted else rows.filter(deleted_at=None)).first()
    if found is None:
        raise NotFound(_("This contract does not exist."))
    return found


def versions_of(contract: Contract) -> QuerySet[Any]:
    rows: QuerySet[Any] = ContractVersion.objects.filter(contract=contract)
    return rows.defer(*_WORDS).order_by("-number")


def version_newest(contract: Contract) -> ContractVersion:
    """Its words are fetched when they are asked for: a page that waits asks every second, without them."""
    found: ContractVersion | None = versions_of(contract).first()
    if found is None:
        raise NotFound(_("This contract has no file."))
    return found


def version_get(contract: Contract, number: int) -> ContractVersion:
    found: ContractVersion | None = ContractVersion.objects.filter(
        contract=contract, number=number
    ).first()
    if found is None:
        raise NotFound(_("This version does not exist."))
    return found


def run_get(run_id: UUID) -> ReviewRun:
    found: ReviewRun | None = (
        ReviewRun.objects.filter(id=run_id, version__contract__deleted_at=None)
        .select_related("version__contract", "playbook_version__playbook")
        .defer(*_OF_VERSION)
        .first()
    )
    if found is None:
        raise NotFound(_("This review does not exist."))
    return found


def runs_of(contract: Contract) -> QuerySet[Any]:
    rows: QuerySet[Any] = ReviewRun.objects.filter(version__contract=contract)
    related = rows.select_related("version__contract", "playbook_version__playbook")
    return related.defer(*_OF_VERSION).order_by("-created_at")


def run_newest(contract: Contract) -> ReviewRun | None:
    found: ReviewRun | None = runs_of(contract).first()
    return found


def model_was_asked() -> bool:
    """In the last review of the business: the next one is proposed alike."""
    last: ReviewRun | None = ReviewRun.objects.order_by("-created_at").only("with_model").first()
    return bool(last and last.with_model)


def model_cost(contract: Contract) -> tuple[Decimal, str]:
    """What the language model has cost for a contract, over all of its reviews."""
    rows = ReviewRun.objects.filter(version__contract=contract, cost_amount__gt=0)
    found = rows.aggregate(total=Sum("cost_amount"), currency=Max("cost_currency"))
    return found["total"] or Decimal(0), found["currency"] or ""


def finding_get(finding_id: UUID) -> Finding:
    found: Finding | None = (
        Finding.objects.filter(id=finding_id, run__version__contract__deleted_at=None)
        .select_related("run__version__contract")
        .defer(*(f"run__{name}" for name in _OF_VERSION))
        .first()
    )
    if found is None:
        raise NotFound(_("This finding does not exist."))
    return found


def members_deciding() -> list[Membership]:
    """Whom a finding may be given to, by name."""
    rows = Membership.objects.select_related("user").order_by("user__name", "user__email")
    return [row for row in rows if row.can("answer")]


def member_by_email(email: str) -> Membership | None:
    rows = Membership.objects.select_related("user")
    found: Membership | None = rows.filter(user__email__iexact=email.strip()).first()
    return found


def inquiries_list() -> QuerySet[Any]:
    rows: QuerySet[Any] = Inquiry.objects.select_related("made_by")
    return rows.order_by("-created_at", "-id")


def inquiry_get(inquiry_id: UUID) -> Inquiry:
    found: Inquiry | None = Inquiry.objects.filter(id=inquiry_id).first()
    if found is None:
        raise NotFound(_("This question does not exist."))
    return found


def inquiry_answers(inquiry: Inquiry) -> list[InquiryAnswer]:
    """Of contracts that are still here, the likeliest first."""
    rows = InquiryAnswer.objects.filter(inquiry=inquiry, contract__deleted_at=None)
    related = rows.select_related("contract", "version").defer(*_OF_VERSION)
    return list(related.order_by("position"))


def playbooks_list() -> QuerySet[Any]:
    rows: QuerySet[Any] = Playbook.objects.filter(deleted_at=None)
    return rows.order_by("name", "id")


def playbook_get(playbook_id: UUID, *, include_deleted: bool = False) -> Playbook:
    rows = Playbook.objects.filter(id=playbook_id)
    found: Playbook | None = (rows if include_deleted else rows.filter(deleted_at=None)).first()
    if found is None:
        raise NotFound(_("This playbook does not exist."))
    return found


def playbook_proposed(kind: str) -> Playbook | None:
    """The house's own for this kind before the library's."""
    if not kind:
        return None
    found: Playbook | None = (
        playbooks_list().filter(kind=kind).order_by("starter", "-created_at").first()
    )
    return found


def playbook_version_newest(playbook: Playbook) -> PlaybookVersion:
    found: PlaybookVersion | None = (
        PlaybookVersion.objects.filter(playbook=playbook).order_by("-number").first()
    )
    if found is None:
        raise NotFound(_("This playbook has no rules yet."))
    return found


def rules_of(version: PlaybookVersion) -> list[RuleSpec]:
    rows = version.rules.order_by("position")
    names = ("key", "check_kind", "level", "name", "side", "note", "fallback", "terms", "statutes")
    return [RuleSpec.of({name: getattr(row, name) for name in names}) for row in rows]


def obligations_of(version: ContractVersion) -> QuerySet[Any]:
    rows: QuerySet[Any] = Obligation.objects.filter(version=version)
    related = rows.select_related("version__contract").defer(*_OF_VERSION)
    return related.order_by("due_on", "start")


def obligations_list(*, is_past: bool = False) -> QuerySet[Any]:
    """Of the newest version of every contract; what lies ahead first comes first."""
    newest = ContractVersion.objects.filter(contract=OuterRef("version__contract")).order_by(
        "-number"
    )
    rows: QuerySet[Any] = Obligation.objects.filter(
        version__contract__deleted_at=None, version_id=Subquery(newest.values("id")[:1])
    )
    rows = rows.select_related("version__contract").defer(*_OF_VERSION)
    today = timezone.localdate()
    if is_past:
        return rows.filter(due_on__lt=today).order_by("-due_on", "start")
    return rows.filter(due_on__gte=today).order_by("due_on", "start")


def obligation_get(obligation_id: UUID) -> Obligation:
    found: Obligation | None = Obligation.objects.filter(
        id=obligation_id, version__contract__deleted_at=None
    ).first()
    if found is None:
        raise NotFound(_("This date does not exist."))
    return found
