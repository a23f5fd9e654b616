"""What was removed can come back for thirty days; then it is gone with its file, and only it."""

import os
import time
from datetime import timedelta

from django.utils import timezone

from apps.contracts.models import Contract, Finding
from apps.contracts.services.contracts import contract_delete
from furrow.core.context import tenant_tx
from furrow.knowledge.storage import file_path
from furrow.ops.upkeep import upkeep
from furrow.tenants.services import SYSTEM
from tests.apps.contracts.conftest import handed_in


def test_removed_contract_goes_for_good_after_thirty_days(run, cast):
    other = handed_in(cast.tenant, b"lease", "kept.txt")
    with tenant_tx(cast.tenant.id):
        contract = run.version.contract
        files = [file_path(c.versions.get().file_key) for c in (contract, other)]
        contract_delete(actor=SYSTEM, contract=contract)
    for path in files:
        # Old enough that an orphan would be thrown away.
        os.utime(path, (time.time() - 90_000,) * 2)
    assert upkeep()["contracts"] == 0
    assert [path.exists() for path in files] == [True, True]
    with tenant_tx(cast.tenant.id):
        Contract.objects.filter(id=contract.id).update(
            deleted_at=timezone.now() - timedelta(days=31)
        )
    assert upkeep()["contracts"] == 1
    assert [path.exists() for path in files] == [False, True]
    with tenant_tx(cast.tenant.id):
        assert [row.id for row in Contract.objects.all()] == [other.id]
        assert not Finding.objects.exists()


def test_file_without_a_row_is_thrown_away_after_a_day(contract, cast):
    with tenant_tx(cast.tenant.id):
        path = file_path(contract.versions.get().file_key)
    stray = path.with_name("0" * 32)
    stray.write_bytes(b"x")
    upkeep()
    assert stray.exists()
    os.utime(stray, (time.time() - 90_000,) * 2)
    upkeep()
    assert not stray.exists()
    assert path.exists()
