"""Usage, budgets, prices and invoices over HTTP."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest

from furrow.core.context import tenant_tx
from furrow.metering.counts import Counts
from furrow.metering.holds import Bounds, hold_open
from furrow.metering.rollups import rollup_run
from furrow.metering.settlement import settle
from tests import fixtures_embeddings

_embedding_process = fixtures_embeddings._embedding_process
embedding_server = fixtures_embeddings.embedding_server


@pytest.fixture
def used(cast):
    """A thousand tokens in and a hundred out, summed up."""
    with tenant_tx(cast.tenant.id):
        hold_open(request_id="r", model="m", bounds=Bounds(1000, 100))
        settle(request_id="r", counts=Counts(0, 1000, 100, 0))
    rollup_run()


def put(client, body):
    return client.put("/api/v1/budgets", data=body, content_type="application/json")


def test_usage_is_decimal_text(api, used):
    body = api.get("/api/v1/usage?group_by=model").json()
    assert set(body) == {"from", "to", "group_by", "computed_at", "items"}
    assert body["items"] == [
        {
            "key": "m",
            "calls": 1,
            "usage": {"input_hit": 0, "input_miss": 1000, "output": 100, "reasoning": 0},
            "cost": {"amount": "0.0028", "currency": "CNY"},
        }
    ]


def test_usage_of_a_span(api, used):
    body = api.get("/api/v1/usage?from=2020-01-01&to=2020-01-31").json()
    assert (body["from"], body["items"]) == ("2020-01-01", [])


def test_usage_as_a_table(api, used):
    answer = api.get("/api/v1/usage?group_by=model&format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert answer.content.decode().splitlines()[1] == "m,CNY,1,0,1000,100,0,0.0028"


@pytest.mark.parametrize(
    "query", ["group_by=price", "from=2026-02-01&to=2026-01-01", "from=yesterday", "format=xml"]
)
def test_impossible_usage_questions_are_refused(api, query):
    assert api.get(f"/api/v1/usage?{query}").status_code == 422


def test_budget_is_set_shown_and_lifted(api, used):
    set_to = put(api, {"scope_kind": "tenant", "cap_hard": "12.50"})
    assert set_to.status_code == 200, set_to.content
    (shown,) = api.get("/api/v1/budgets").json()["items"]
    assert shown == set_to.json()
    assert (shown["cap_hard"], shown["balances"][0]["posted"]) == ("12.50", "0.0028")
    assert put(api, {"scope_kind": "tenant", "cap_hard": "1"}).json()["id"] == shown["id"]
    for status in (204, 404):
        assert api.delete(f"/api/v1/budgets/{shown['id']}").status_code == status
    assert api.get("/api/v1/budgets").json()["items"] == []


@pytest.mark.parametrize("cap", [12.5, 12, "-1", "1e3", "NaN", "", "0.0000000000001", None])
def test_amounts_must_be_decimal_text(api, cap):
    assert put(api, {"scope_kind": "tenant", "cap_hard": cap}).status_code == 422


def test_budget_over_http_refuses_the_next_call(api, cast):
    put(api, {"scope_kind": "tenant", "cap_hard": "0"})
    from furrow.metering.errors import BudgetExceeded  # noqa: PLC0415  beside its one use

    with pytest.raises(BudgetExceeded), tenant_tx(cast.tenant.id):
        hold_open(request_id="r", model="m", bounds=Bounds(1000, 100))


def test_models_that_are_open_to_the_business_are_listed(api, settings):
    assert api.get("/api/v1/models").json() == {"items": []}
    settings.CHAT_URL, settings.CHAT_MODEL = "http://127.0.0.1:9/v1", "own"
    assert api.get("/api/v1/models").json() == {"items": [{"id": "own", "is_default": True}]}


def test_prices_are_listed(api):
    items = api.get("/api/v1/prices").json()["items"]
    prices = {item["kind"]: Decimal(item["per_million"]) for item in items}
    assert prices["in_hit"] == Decimal("0.5")
    assert (prices["in_miss"], prices["out"], prices["embed"]) == (2, 8, Decimal("0.1"))


def test_invoice_is_listed_and_read(api, world):
    (listed,) = api.get("/api/v1/invoices").json()["items"]
    read = api.get(f"/api/v1/invoices/{listed['id']}").json()
    assert (read["total"], read["lines"]) == ("0.00", [])
    document = api.get(f"/api/v1/invoices/{listed['id']}/document").content
    assert hashlib.sha256(document).hexdigest() == listed["digest"]


def test_search_over_http_is_counted_for_its_key(api, world, cast, embedding_server):
    from furrow.metering.models import UsageEvent  # noqa: PLC0415  beside its one use
    from furrow.tenants.models import ApiKey  # noqa: PLC0415

    path = f"/api/v1/knowledge-bases/{world.base.id}/search"
    body = {"query": "free shipping"}
    headers = {"Idempotency-Key": "once"}
    answers = [
        api.post(path, body, content_type="application/json", headers=headers).json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    with tenant_tx(cast.tenant.id):
        (event,) = UsageEvent.objects.all()
        assert event.api_key_id == str(ApiKey.objects.get().id)
    assert event.channel == "api"


def test_invoices_come_in_pages_and_as_the_same_file(api, world, cast):
    from furrow.metering.invoices import invoice_close  # noqa: PLC0415  beside its one use

    with tenant_tx(cast.tenant.id):
        for month in (2, 3):
            invoice_close(month=date(2026, month, 1))
    first = api.get("/api/v1/invoices?limit=2").json()
    rest = api.get(f"/api/v1/invoices?limit=2&cursor={first['next_cursor']}").json()
    numbers = [item["number"] for item in [*first["items"], *rest["items"]]]
    assert (numbers, rest["next_cursor"]) == ([3, 2, 1], None)
    files = [api.get(f"/api/v1/invoices/{world.invoice.id}/pdf").content for _ in range(2)]
    assert files[0] == files[1]
    assert files[0].startswith(b"%PDF")


@pytest.mark.parametrize(
    "report",
    [
        "usage?from={}&to={}",
        "reports/service?since={}&until={}",
        "reports/service-cost?since={}&until={}",
    ],
)
@pytest.mark.parametrize(
    ("since", "until"),
    [("", "0001-01-05"), ("9999-12-01", "9999-12-31"), ("2026-02-01", "2026-01-01"), ("2020-01-01", "")],
)  # fmt: skip
def test_days_that_no_calendar_and_no_report_has_are_refused(api, report, since, until):
    path = report.format(since, until)
    given = "&".join(part for part in path.split("?")[1].split("&") if not part.endswith("="))
    assert api.get(f"/api/v1/{path.split('?')[0]}?{given}").json()["error"]["code"] == "invalid"
