"""Deletes for good what was removed long ago, and files that no version points to. Until then all can come back."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from apps.contracts.models import Contract, ContractVersion, Playbook
from apps.contracts.services.contracts import FOLDER
from furrow.core.context import tenant_tx, unscoped
from furrow.knowledge.storage import file_delete, files_older_than_a_day
from furrow.tenants.services import SYSTEM, audit

KEPT = timedelta(days=30)
# A day's share; the rest goes the next day.
_MOST_AT_ONCE = 500


def deleted_purge() -> int:
    """How many contracts went. Each is a transaction of its own."""
    before = timezone.now() - KEPT
    with unscoped("find contracts and playbooks that were deleted long ago"):
        rows = Contract.objects.filter(deleted_at__lt=before)
        contracts = list(rows.values_list("tenant_id", "id")[:_MOST_AT_ONCE])
        # Of the library's a row has to stay, or the playbook would be offered again.
        old = Playbook.objects.filter(deleted_at__lt=before, starter="")
        playbooks = list(old.values_list("tenant_id", "id")[:_MOST_AT_ONCE])
    for tenant_id, playbook_id in playbooks:
        with tenant_tx(tenant_id):
            Playbook.objects.filter(id=playbook_id, deleted_at__lt=timezone.now() - KEPT).delete()
    gone = sum(_contract_purge(tenant_id, contract_id) for tenant_id, contract_id in contracts)
    _orphans_delete()
    return gone


def _contract_purge(tenant_id: UUID, contract_id: UUID) -> bool:
    with tenant_tx(tenant_id):
        # Once more under a lock: it may have been restored in between.
        contract = (
            Contract.objects.select_for_update()
            .filter(id=contract_id, deleted_at__lt=timezone.now() - KEPT)
            .first()
        )
        if contract is None:
            return False
        keys = list(contract.versions.values_list("file_key", flat=True))
        contract.delete()
        audit(SYSTEM, "contracts.purged", object_type="contract", object_id=contract_id)
    for key in keys:
        file_delete(key)
    return True


def _orphans_delete() -> None:
    names = files_older_than_a_day(FOLDER)
    with unscoped("find which stored files still belong to a contract"):
        found = ContractVersion.objects.filter(file_key__in=names)
        known = set(found.values_list("file_key", flat=True))
    for name, path in names.items():
        if name not in known:
            path.unlink(missing_ok=True)
