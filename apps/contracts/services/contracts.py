"""Writes on contracts and their versions, inside `tenant_tx`. Reading a file happens later, in a job."""

import uuid
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.contracts.jobs import READ, read_enqueue
from apps.contracts.models import (
    Contract,
    ContractVersion,
    Kind,
    Obligation,
    ReviewRun,
    Side,
)
from apps.contracts.services.reviews import contract_lock, run_stop
from furrow.core.errors import Conflict, Invalid
from furrow.core.jobs import job_cancel
from furrow.knowledge import storage
from furrow.knowledge.services.details import file_name_cleaned
from furrow.tenants.services import Actor, audit

FOLDER = "contracts"
# What a contract may come as: the rest of what the reader knows is no contract.
ENDINGS = ("docx", "pdf", "txt", "md", "png", "jpg", "jpeg")


@transaction.atomic
def contract_upload(
    *,
    actor: Actor,
    file: BinaryIO,
    file_name: str,
    content_type: str = "",
    title: str = "",
    side: str = Side.NEUTRAL,
    user_id: Any = None,
) -> Contract:
    """A contract with its first version, stored and waiting to be read."""
    file_name = _name_checked(file_name)
    if side not in Side.values:
        raise Invalid(_("Choose whose side you are on."), field="side")
    contract: Contract = Contract.objects.create(
        title=title.strip()[:300] or file_name.rpartition(".")[0] or file_name,
        side=side,
        made_by_id=user_id,
    )
    _version_add(contract, file, file_name, content_type)
    audit(actor, "contracts.created", object_type="contract", object_id=contract.id)
    return contract


@transaction.atomic
def version_upload(
    *,
    actor: Actor,
    contract: Contract,
    file: BinaryIO,
    file_name: str,
    content_type: str = "",
) -> ContractVersion:
    """A newer wording of the same contract. Decisions stay with the words that stay."""
    file_name = _name_checked(file_name)
    contract_lock(contract.id)
    version = _version_add(contract, file, file_name, content_type)
    audit(actor, "contracts.version_added", object_type="contract", object_id=contract.id)
    return version


@transaction.atomic
def contract_update(*, actor: Actor, contract: Contract, **fields: Any) -> Contract:
    """Changes title, kind or side."""
    if unknown := sorted(set(fields) - {"title", "kind", "side"}):
        raise Invalid(_("This cannot be changed."), field=unknown[0])
    if "title" in fields and not fields["title"].strip():
        raise Invalid(_("The contract needs a title."), field="title")
    if fields.get("kind", "") not in {"", *Kind.values}:
        raise Invalid(_("This kind of contract does not exist."), field="kind")
    if fields.get("side", Side.NEUTRAL) not in Side.values:
        raise Invalid(_("Choose whose side you are on."), field="side")
    for name, value in fields.items():
        setattr(contract, name, value.strip()[:300])
    contract.save(update_fields=[*fields, "updated_at"])
    audit(actor, "contracts.updated", object_type="contract", object_id=contract.id)
    return contract


@transaction.atomic
def contract_delete(*, actor: Actor, contract: Contract) -> None:
    """Out of sight; it can be restored. What runs on it is cancelled."""
    # Rows are locked in the order run, job, contract, as the worker does.
    for run in ReviewRun.objects.filter(version__contract=contract, state__in=ReviewRun.ACTIVE):
        run_stop(run)
    for version_id in contract.versions.values_list("id", flat=True):
        job_cancel(kind=READ, subject_id=version_id)
    Contract.objects.filter(id=contract.id).update(deleted_at=timezone.now())
    audit(actor, "contracts.deleted", object_type="contract", object_id=contract.id)


@transaction.atomic
def contract_restore(*, actor: Actor, contract: Contract) -> None:
    """Files whose reading the removal stopped are read now."""
    Contract.objects.filter(id=contract.id).update(deleted_at=None)
    unread = contract.versions.filter(state=ContractVersion.State.QUEUED)
    for version_id in unread.values_list("id", flat=True):
        read_enqueue(version_id)
    audit(actor, "contracts.restored", object_type="contract", object_id=contract.id)


@transaction.atomic
def version_retry(*, actor: Actor, version: ContractVersion) -> None:
    """Reads a file again that could not be read."""
    if version.state != ContractVersion.State.FAILED:
        raise Conflict(_("This file is read already, or waits to be."))
    version.state, version.error_code = ContractVersion.State.QUEUED, ""
    version.save(update_fields=["state", "error_code"])
    read_enqueue(version.id)
    audit(actor, "contracts.retried", object_type="contract", object_id=version.contract_id)


def obligation_set(*, obligation: Obligation, is_done: bool) -> None:
    Obligation.objects.filter(id=obligation.id).update(is_done=is_done)


def _version_add(
    contract: Contract, file: BinaryIO, file_name: str, content_type: str
) -> ContractVersion:
    version_id = uuid.uuid4()
    stored = storage.file_save(file, version_id, folder=FOLDER)
    try:
        highest = contract.versions.aggregate(Max("number"))["number__max"] or 0
        version: ContractVersion = ContractVersion.objects.create(
            id=version_id,
            contract=contract,
            number=highest + 1,
            file_key=stored.key,
            file_name=file_name,
            content_type=content_type[:120],
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
        )
        read_enqueue(version.id)
    except BaseException:
        storage.file_delete(stored.key)
        raise
    return version


def _name_checked(file_name: str) -> str:
    cleaned = file_name_cleaned(file_name)
    if cleaned.rpartition(".")[2].lower() not in ENDINGS:
        raise Invalid(
            _(
                "Contracts are read from Word (.docx), PDF, text, PNG or JPEG. Nothing was kept; save the file "
                "as one of these and upload it again."
            ),
            code="unsupported",
            field="file",
        )
    return cleaned
