"""Two wordings beside each other: of one contract, or a contract and another as its template."""

from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.contracts import selectors
from apps.contracts.comparing import compare
from apps.contracts.models import Contract, ContractVersion
from apps.contracts.reviewing.source import read_of
from furrow.core.errors import NotFound
from furrow.dashboard.doors import needs, text_of
from furrow.tenants.web import TenantRequest

_MOST_OTHERS = 200


@needs(get="view")
def comparison(request: TenantRequest, contract_id: UUID) -> HttpResponse:
    """`?with=` is a version's number or another contract's id; by default the version before."""
    contract = selectors.contract_get(contract_id)
    newest = selectors.version_newest(contract)
    asked = text_of(request, "with")
    other = _other(contract, newest, asked)
    pairs = compare(read_of(other), read_of(newest)) if other and _can(other, newest) else []
    context = {
        "contract": contract,
        "version": newest,
        "other": other,
        "pairs": pairs,
        "changed": sum(pair.state != "same" for pair in pairs),
        "versions": [row for row in selectors.versions_of(contract) if row.number != newest.number],
        "others": selectors.contracts_list().exclude(id=contract.id)[:_MOST_OTHERS],
        "asked": asked,
    }
    return TemplateResponse(request, "contracts/comparison.html", context)


def _other(contract: Contract, newest: ContractVersion, asked: str) -> ContractVersion | None:
    if not asked:
        found: ContractVersion | None = (
            ContractVersion.objects.filter(contract=contract, number__lt=newest.number)
            .order_by("-number")
            .first()
        )
        return found
    if asked.isdigit() and len(asked) < 6:
        return selectors.version_get(contract, int(asked))
    try:
        return selectors.version_newest(selectors.contract_get(UUID(asked)))
    except ValueError:
        raise NotFound(_("This contract does not exist.")) from None


def _can(*versions: ContractVersion) -> bool:
    return all(version.state == ContractVersion.State.READY for version in versions)
