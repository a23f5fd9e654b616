"""The demo law office: its contracts under review, and one decision on each level made."""

from apps.contracts import selectors
from apps.contracts.models import Contract, Side
from apps.contracts.services.contracts import contract_upload
from apps.contracts.services.playbooks import starters_ensure
from apps.contracts.services.reviews import run_start
from furrow.core.context import tenant_tx
from furrow.ops.demo.sources import FILES
from furrow.tenants.selectors import tenant_by_slug
from furrow.tenants.services import SYSTEM, trades_show

# File, title, kind, and the side the office advises.
_CONTRACTS = (
    ("lease_contract_zh.docx", "商铺租赁合同", "lease", Side.SECOND),
    ("supply_contract_en.pdf", "Agricultural Supply Agreement", "sale", Side.FIRST),
)


def demo_load() -> None:
    """Once: what the office changed later stays. The reviews run as soon as a worker is there."""
    tenant = tenant_by_slug("lawoffice")
    if tenant is None:
        return
    with tenant_tx(tenant.id):
        if Contract.objects.exists():
            return
        trades_show(actor=SYSTEM, tenant=tenant, shown=["contracts"])
        starters_ensure(actor=SYSTEM, language=tenant.language)
        for file_name, title, kind, side in _CONTRACTS:
            with (FILES / "lawoffice" / file_name).open("rb") as file:
                contract = contract_upload(
                    actor=SYSTEM, file=file, file_name=file_name, title=title, side=side
                )
            review_begin(contract, kind)


def review_begin(contract: Contract, kind: str) -> None:
    """With the playbook of its kind and the rules of its side. Inside `tenant_tx`."""
    playbook = selectors.playbook_proposed(kind)
    version = selectors.playbook_version_newest(playbook) if playbook else None
    rules = selectors.rules_of(version) if version else []
    run_start(
        actor=SYSTEM,
        version=selectors.version_newest(contract),
        side=contract.side,
        playbook_version=version,
        rules=[rule for rule in rules if rule.side in {Side.NEUTRAL, contract.side}],
    )
