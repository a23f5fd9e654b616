"""Our own database for a measurement of /v1: made before the load, its books checked after it."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.models import Count, F, Q, Sum

from furrow.core import security
from furrow.core.addresses import database
from furrow.core.context import tenant_tx
from furrow.metering.balances import balances_drift
from furrow.metering.budgets import budget_set
from furrow.metering.models import Hold, LedgerLine, UsageEvent
from furrow.ops import embedded
from furrow.tenants.services import SYSTEM, api_key_create, tenant_create


@dataclass
class Books:
    name: str
    owner_url: str
    app_url: str
    tenant_id: UUID
    key: str


def books_prepare(superuser: str, name: str = "furrow_bench_v1") -> Books:
    embedded.database_ensure(superuser, name)
    owner = superuser.replace("/postgres?", f"/{name}?")
    app = owner.replace("//postgres@", "//furrow_app@")
    for alias, url in (("owner", owner), ("default", app)):
        connections[alias].settings_dict.update(database(url))
    settings.DATABASE_APP_ROLE = "furrow_app"
    security.ensure_roles(connections["owner"], app_role="furrow_app")
    call_command("migrate", database="owner", verbosity=0)
    security.verify(connection)
    tenant = tenant_create(name="Bench")
    with tenant_tx(tenant.id):
        budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(1_000_000))
        _, key = api_key_create(actor=SYSTEM, name="bench", scopes=["models:use"])
    connections.close_all()
    return Books(name, owner, app, tenant.id, key)


def books_check(books: Books, calls: int) -> str:
    """Raises unless every call of the engine is paid once and exactly, and nothing is left open."""
    with tenant_tx(books.tenant_id):
        events = UsageEvent.objects.aggregate(n=Count("id"), cost=Sum("cost"), paid=Sum("charged"))
        wrong = UsageEvent.objects.exclude(
            cost=F("cost_in_hit") + F("cost_in_miss") + F("cost_out") + F("cost_reasoning")
        ).count()
        free = UsageEvent.objects.filter(Q(cost=0) & Q(out__gt=0)).count()
        is_open = Hold.objects.filter(state="open").count()
        sums = LedgerLine.objects.aggregate(debit=Sum("debit"), credit=Sum("credit"))
        drift = balances_drift()
    connections.close_all()
    found = {
        "events": (events["n"], calls),
        "charged": (events["paid"], events["cost"]),
        "credits": (sums["credit"], sums["debit"]),
        "open holds": (is_open, 0),
        "wrong sums": (wrong, 0),
        "free answers": (free, 0),
        "drifted balances": (len(drift), 0),
    }
    faults = {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    if faults:
        raise SystemExit(f"The books are wrong, so the figures do not count: {faults}")
    return f"our books: {calls} calls, each paid once; holds, sums, balances and ledger agree"
