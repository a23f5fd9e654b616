"""The operator's pages: for operators only, with exact sums of cost and margin."""

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from furrow.accounts.models import User
from furrow.core.context import tenant_tx, unscoped
from furrow.core.errors import Invalid
from furrow.dashboard.operator_urls import urlpatterns
from furrow.gateway.chat import chat_models
from furrow.metering.alarms import alarms_raise
from furrow.metering.budgets import budget_end, budget_set, ceiling_set
from furrow.metering.errors import BudgetExceeded
from furrow.metering.holds import Bounds, hold_open
from furrow.metering.models import (
    Alarm,
    Budget,
    LedgerLine,
    MachinePrice,
    PriceItem,
    PriceWindow,
    Reconciliation,
)
from furrow.metering.unit_economics import machine_cost, machine_price_set
from furrow.tenants.models import AuditEntry
from furrow.tenants.services import SYSTEM
from tests.dashboard.money import rolled_up, spend_at

HOUR_US = 3_600_000_000


@pytest.fixture
def operator(cast):
    """Somebody of no business at all."""
    user = User.objects.create_user(email="ops@example.test", is_operator=True)
    client = cast.client(user)
    client.cookies["django_language"] = "en"
    return client


def reconciled(**fields) -> Reconciliation:
    values = {
        "source": "own", "receipt_tokens": 100, "event_tokens": 100, "balance_difference": 0,
        "held_difference": 0, "missing_receipts": 0, "foreign_receipts": 0, "overdue_holds": 0,
        "free_events": 0, "is_clean": False,
    }  # fmt: skip
    with unscoped("make a comparison in a test"):
        return Reconciliation.objects.create(**(values | fields))


def alarmed(amount: int) -> Alarm:
    with unscoped("raise an alarm in a test"):
        alarms_raise("own", {"receipts": amount})
        return Alarm.objects.latest("created_at")


def addresses(tenant) -> dict[str, str]:
    reconciled(missing_receipts=2)
    known = {"tenant_id": tenant.id, "txn": uuid.uuid4(), "alarm_id": alarmed(2).id}
    return {
        route.name: reverse(
            f"operator:{route.name}", kwargs={n: known[n] for n in route.pattern.converters}
        )
        for route in urlpatterns
    }


def test_pages_do_not_exist_for_anybody_else(cast, shop):
    urls = addresses(cast.tenant)
    assert len(urls) == len(urlpatterns) == 18
    for route in urlpatterns:
        assert route.callback.is_for_operators, route.name
    for user in (cast.owner, cast.teammate, cast.viewer, cast.stranger):
        client = cast.client(user)
        for name, url in urls.items():
            for method in ("get", "post"):
                response = getattr(client, method)(url)
                assert response.status_code == 404, (user.email, name, method)
                assert "Orchard" not in response.content.decode(), name
    with unscoped("see that nothing was written in a test"):
        assert not MachinePrice.objects.exists()
        assert Alarm.objects.get().acknowledged_at is None


def test_visitor_is_asked_to_sign_in(cast):
    for name, url in addresses(cast.tenant).items():
        assert Client().get(url)["Location"].startswith("/accounts/login/"), name


def test_right_ends_with_the_command_and_with_the_account(cast, operator):
    url = reverse("operator:overview")
    assert operator.get(url).status_code == 200
    call_command("operator", "ops@example.test", "--revoke")
    assert operator.get(url).status_code == 404
    call_command("operator", "OPS@example.test")
    assert operator.get(url).status_code == 200
    User.objects.filter(email="ops@example.test").update(is_active=False)
    assert operator.get(url).status_code in {302, 404}


def test_second_step_is_advised(operator):
    assert "Protect your sign-in with a second step" in operator.get("/operator/").content.decode()


@pytest.mark.parametrize("language", ["zh-hans", pytest.param("en", marks=pytest.mark.slow)])
def test_every_page_renders_for_the_operator(operator, cast, shop, language):
    operator.cookies["django_language"] = language
    for name, url in addresses(cast.tenant).items():
        route = next(route for route in urlpatterns if route.name == name)
        response = operator.get(url)
        if response.status_code == 405:
            continue
        assert response.status_code == 200, route.name
        assert "style=" not in response.content.decode(), name


class TestEconomics:
    @pytest.fixture
    def worked(self, cast, shop):
        """The first business earns 0.8 with a tenth of an hour of work, the other 0.16 with a twentieth."""
        now = timezone.now()
        machine_price_set(
            machine="gpu-1",
            currency="CNY",
            per_hour=Decimal(3),
            valid_from=now - timedelta(hours=400),
        )
        spend_at(cast.tenant.id, now, 0, 0, 100_000, 0, model="big", busy_us=HOUR_US // 10)
        spend_at(cast.other_tenant.id, now, 0, 0, 20_000, 0, model="=small", busy_us=HOUR_US // 20)
        rolled_up()

    def test_cost_to_serve_is_measured_work_at_the_price_of_the_machine(self, operator, worked):
        found = operator.get("/operator/?span=today").context["found"]
        assert found.whole.charged == Decimal("0.96")
        assert found.whole.serving == Decimal("0.45")
        assert [(row.name, row.charged, row.serving, row.margin) for row in found.models] == [
            ("big", Decimal("0.8"), Decimal("0.3"), Decimal("0.5")),
            ("=small", Decimal("0.16"), Decimal("0.15"), Decimal("0.01")),
        ]
        assert [row.name for row in found.tenants] == ["Orchard", "Rival"]
        assert sum(row.margin for row in found.tenants) == found.whole.margin == Decimal("0.51")
        assert found.utilisation == Decimal("0.15") / found.hours
        assert found.machines == found.whole.serving + found.idle
        assert found.result == found.whole.charged - found.machines

    def test_without_a_machine_nothing_is_claimed(self, operator, cast, shop):
        text = operator.get("/operator/").content.decode()
        assert "Enter a machine" in text

    def test_table_is_defused(self, operator, worked):
        text = operator.get("/operator/table.csv?span=today").content.decode("utf-8-sig")
        rows = {row[1]: row for row in csv.reader(io.StringIO(text))}
        assert rows["'=small"][2:5] == ["0.16", "0.15", "0.01"]

    def test_overview_asks_the_same_queries_however_much_was_used(
        self, operator, cast, worked, django_assert_max_num_queries
    ):
        for number in range(12):
            spend_at(cast.tenant.id, timezone.now(), 0, 0, 10, 0, model=f"m{number}")
        rolled_up()
        with django_assert_max_num_queries(19):
            operator.get("/operator/?span=today")

    def test_each_price_holds_until_the_next(self):
        begin = datetime(2026, 3, 1, tzinfo=UTC)
        prices = [
            MachinePrice(
                currency="CNY",
                machine="a",
                per_hour=Decimal(2),
                valid_from=begin - timedelta(days=9),
            ),
            MachinePrice(
                currency="CNY",
                machine="a",
                per_hour=Decimal(4),
                valid_from=begin + timedelta(hours=6),
            ),
            MachinePrice(
                currency="CNY",
                machine="a",
                per_hour=Decimal(0),
                valid_from=begin + timedelta(hours=8),
            ),
            MachinePrice(
                currency="CNY",
                machine="b",
                per_hour=Decimal(1),
                valid_from=begin + timedelta(hours=9),
            ),
        ]
        cost, hours = machine_cost(reversed(prices), begin, begin + timedelta(hours=10), "CNY")
        assert (cost, hours) == (Decimal(6 * 2 + 2 * 4 + 1), Decimal(9))

    def test_machine_gets_its_price_on_the_page(self, operator):
        data = {
            "machine": "gpu-9",
            "per_hour": "2.5",
            "currency": "cny",
            "valid_from": "2026-01-01T00:00",
        }
        assert operator.post("/operator/machines/", data).status_code == 302
        again = operator.post("/operator/machines/", data)
        assert again.context["form"].errors
        assert "gpu-9" in operator.get("/operator/machines/").content.decode()


class TestAlarm:
    def test_difference_rings_on_every_page_until_somebody_looked(self, operator):
        reconciled(missing_receipts=3)
        found = alarmed(3)
        assert "alarm about the sums is open" in operator.get("/operator/prices/").content.decode()
        page = operator.get("/operator/comparison/").content.decode()
        assert "Receipts never came" in page
        url = f"/operator/comparison/{found.id}/seen/"
        assert operator.post(url, {"note": " "}).status_code == 422
        assert operator.post(url, {"note": "disk was full"}).status_code == 302
        assert "alarm about the sums is open" not in operator.get("/operator/").content.decode()
        alarmed(3)
        assert "alarm about the sums is open" not in operator.get("/operator/").content.decode()
        page = operator.get("/operator/comparison/").content.decode()
        assert "disk was full" in page
        assert "ops@example.test" in page
        alarmed(4)
        assert "alarm about the sums is open" in operator.get("/operator/").content.decode()

    def test_alarm_is_looked_into_once(self, operator):
        url = f"/operator/comparison/{alarmed(1).id}/seen/"
        assert operator.post(url, {"note": "x"}).status_code == 302
        assert operator.post(url, {"note": "x"}).status_code == 404


class TestPriceBook:
    def price(self, **data):
        return {
            "model": "*",
            "kind": "out",
            "window": "",
            "per_million": "16",
            "currency": "CNY",
        } | data

    @pytest.mark.slow
    def test_preview_says_what_it_would_have_cost_and_stores_nothing(self, operator, cast, shop):
        spend_at(cast.tenant.id, timezone.now() - timedelta(days=3), 0, 0, 1_000_000, 0)
        rolled_up()
        before = PriceItem.objects.count()
        response = operator.post("/operator/prices/new/", self.price(preview="1"))
        preview = response.context["preview"]
        assert (preview.before, preview.after) == (8, 16)
        assert "¥8.00 more than the ¥8.00" in response.content.decode()
        assert PriceItem.objects.count() == before

    def test_price_from_a_future_moment_stands_beside_the_present_one(self, operator):
        tomorrow = timezone.localtime() + timedelta(days=1)
        data = self.price(starts_at=f"{tomorrow:%Y-%m-%dT%H:%M}")
        assert operator.post("/operator/prices/new/", data).status_code == 302
        rows = operator.get("/operator/prices/").context["prices"]
        shown = [(row.per_million, state) for row, state in rows if row.kind == "out"]
        assert shown == [(16, "coming"), (8, "now")]

    def test_past_and_nonsense_are_refused_with_a_sentence(self, operator):
        for data in (
            self.price(starts_at="2020-01-01T00:00"),
            self.price(per_million="-1"),
            self.price(per_million="0.0000000001"),
            self.price(kind="gold"),
        ):
            assert operator.post("/operator/prices/new/", data).context["form"].errors

    def test_hours_with_a_price_of_their_own(self, operator):
        data = {"name": "night", "timezone": "Asia/Shanghai", "spans": "22:00-06:00\n12:00 – 13:00"}
        assert operator.post("/operator/prices/hours/new/", data).status_code == 302
        assert PriceWindow.objects.get().spans == [["22:00", "06:00"], ["12:00", "13:00"]]
        wrong = operator.post("/operator/prices/hours/new/", {**data, "name": "x", "spans": "late"})
        assert wrong.context["form"].errors
        assert operator.post("/operator/prices/new/", self.price(window="night")).status_code == 302
        assert "night" in operator.get("/operator/prices/").content.decode()


class TestTenants:
    def url(self, cast, name="tenant", *args):
        return reverse(f"operator:{name}", args=[cast.tenant.id, *args])

    def test_list_has_everybody_with_what_they_spend(self, operator, cast, shop):
        spend_at(cast.other_tenant.id, timezone.now(), 0, 0, 20_000, 0)
        rolled_up()
        payers = operator.get("/operator/businesses/").context["payers"]
        assert [(payer.name, payer.month) for payer in payers] == [
            ("Rival", Decimal("0.16")), ("Orchard", 0)
        ]  # fmt: skip
        found = operator.get("/operator/businesses/?query=orch").context["payers"]
        assert [payer.name for payer in found] == ["Orchard"]
        assert not operator.get("/operator/businesses/?query=%25").context["payers"]

    def test_credit_is_paid_in_once_and_reversed_once(self, operator, cast, shop):
        data = {"amount": "50", "reference": "wx-1"}
        for _ in range(2):
            assert operator.post(self.url(cast, "credit"), data).status_code == 302
        with tenant_tx(cast.tenant.id):
            (line,) = LedgerLine.objects.filter(reason="top_up", account="wallet")
        account = operator.get(self.url(cast)).context["account"]
        assert account.paid_in == 50
        other = operator.post(self.url(cast, "credit"), {**data, "amount": "51"})
        assert other.context["credit_form"].errors
        assert operator.post(self.url(cast, "reverse", line.txn)).status_code == 302
        assert operator.post(self.url(cast, "reverse", line.txn)).status_code == 409
        account = operator.get(self.url(cast)).context["account"]
        assert account.paid_in == 0
        assert [(each.reason, each.is_reversed) for each in account.entries] == [
            ("reversal", False), ("top_up", True)
        ]  # fmt: skip
        with tenant_tx(cast.tenant.id):
            log = AuditEntry.objects.filter(action="metering.reversed").get()
            assert log.actor_label == "ops@example.test"

    def test_adjustment_takes_off_or_adds(self, operator, cast, shop):
        for direction, amount in (("less", "3"), ("more", "1")):
            data = {"direction": direction, "amount": amount, "note": "goodwill"}
            assert operator.post(self.url(cast, "adjust"), data).status_code == 302
        account = operator.get(self.url(cast)).context["account"]
        assert account.owed == -2
        assert [each.amount for each in account.entries] == [1, -3]

    def test_currencies_are_shown_side_by_side_and_never_added(self, operator, cast, shop):
        """One business pays in euros, the other in yuan; the machine is rented in yuan."""
        now = timezone.now()
        euro = {"model": "*", "kind": "out", "window": "", "per_million": "2", "currency": "eur"}
        for kind in ("in_hit", "in_miss", "out", "reasoning"):
            assert operator.post("/operator/prices/new/", {**euro, "kind": kind}).status_code == 302
        url = reverse("operator:currency", args=[cast.other_tenant.id])
        assert operator.post(url, {"currency": "gbp"}).context["currency_form"].errors
        assert operator.post(url, {"currency": "eur"}).status_code == 302
        machine_price_set(
            machine="g", currency="CNY", per_hour=Decimal(3), valid_from=now - timedelta(hours=400)
        )
        spend_at(cast.tenant.id, now, 0, 0, 100_000, 0, busy_us=HOUR_US // 10)
        spend_at(cast.other_tenant.id, now, 0, 0, 500_000, 0, busy_us=HOUR_US // 10)
        rolled_up()
        yuan = operator.get("/operator/?span=today")
        assert yuan.context["found"].whole.charged == Decimal("0.8")
        # All work of the machine is paid for in yuan, also that for who pays in euros.
        assert yuan.context["found"].whole.serving == Decimal("0.6")
        euros = operator.get("/operator/?span=today&currency=EUR")
        assert (euros.context["found"].whole.charged, euros.context["found"].machines) == (1, 0)
        assert "€1.00" in euros.content.decode()
        payers = operator.get("/operator/businesses/").context["payers"]
        assert [(row.name, row.currency, row.month) for row in payers] == [
            ("Orchard", "CNY", Decimal("0.8")), ("Rival", "EUR", Decimal(1))
        ]  # fmt: skip
        # Booked amounts hold the currency.
        assert operator.post(url, {"currency": "CNY"}).context["currency_form"].errors

    def test_share_at_which_leaders_are_told_of_low_credit_is_set(self, operator, cast, shop):
        operator.post(self.url(cast, "payment"), {"is_prepaid": "1"})
        assert operator.get(self.url(cast)).context["low_credit_form"].initial["percent"] == 20
        refused = operator.post(self.url(cast, "low_credit"), {"percent": "91"})
        assert refused.context["low_credit_form"].errors
        assert operator.post(self.url(cast, "low_credit"), {"percent": "35"}).status_code == 302
        assert operator.get(self.url(cast)).context["account"].told_at == 35
        with tenant_tx(cast.tenant.id):
            assert AuditEntry.objects.filter(action="metering.low_credit_set").exists()

    def test_models_are_taken_away_and_given_back(self, operator, cast, shop, settings):
        assert "No language model is connected" in operator.get(self.url(cast)).content.decode()
        settings.CHAT_URL, settings.CHAT_MODEL = "http://127.0.0.1:9/v1", "own"
        form = operator.get(self.url(cast)).context["models_form"]
        assert (form["allowed"].value(), form["later"].value()) == (["own"], True)
        assert operator.post(self.url(cast, "models"), {"allowed": ["else"]}).status_code == 200
        assert operator.post(self.url(cast, "models"), {}).status_code == 302
        form = operator.get(self.url(cast)).context["models_form"]
        assert (form["allowed"].value(), form["later"].value()) == ([], False)
        with tenant_tx(cast.tenant.id):
            log = AuditEntry.objects.filter(action="model.withheld")
            assert set(log.values_list("actor_label", flat=True)) == {"ops@example.test"}
        with tenant_tx(cast.other_tenant.id):
            assert chat_models() == ["own"]

    def test_way_of_paying_is_changed(self, operator, cast, shop):
        operator.post(self.url(cast, "payment"), {"is_prepaid": "1"})
        assert operator.get(self.url(cast)).context["account"].is_prepaid
        operator.post(self.url(cast, "payment"), {"is_prepaid": "0"})
        assert not operator.get(self.url(cast)).context["account"].is_prepaid

    def test_unknown_business_and_entry_are_not_found(self, operator, cast, shop):
        assert operator.get(reverse("operator:tenant", args=[uuid.uuid4()])).status_code == 404
        assert operator.post(self.url(cast, "reverse", uuid.uuid4())).status_code == 404


class TestCeiling:
    def hold(self, tenant, tokens):
        with tenant_tx(tenant.id):
            return hold_open(request_id=uuid.uuid4().hex, model="m", bounds=Bounds(tokens))

    def cap(self, tenant):
        with tenant_tx(tenant.id):
            row = Budget.objects.filter(scope_kind="tenant", period="month").get()
            return row.cap_hard, row.is_active

    def test_operator_limits_what_the_owner_may_spend(self, operator, cast, shop):
        url = reverse("operator:limit", args=[cast.tenant.id])
        assert operator.post(url, {"ceiling": "0.01"}).status_code == 302
        assert self.cap(cast.tenant) == (Decimal("0.01"), True)
        with pytest.raises(BudgetExceeded):
            self.hold(cast.tenant, 10_000)

    def test_owner_may_set_less_but_never_more_nor_lift_it(self, cast, shop):
        with tenant_tx(cast.tenant.id):
            ceiling_set(actor=SYSTEM, ceiling=Decimal(10))
            assert self.cap(cast.tenant) == (Decimal(10), True)
            budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(4))
            assert self.cap(cast.tenant) == (Decimal(4), True)
            with pytest.raises(Invalid):
                budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(11))
            budget_set(actor=SYSTEM, scope_kind="tenant", cap_soft=Decimal(2))
            assert self.cap(cast.tenant) == (Decimal(10), True)
            budget_end(actor=SYSTEM, budget_id=shop.budget.id)
            assert self.cap(cast.tenant) == (Decimal(10), True)

    def test_ceiling_keeps_a_lower_limit_of_the_owner_and_can_be_taken_away(self, cast, shop):
        with tenant_tx(cast.tenant.id):
            budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(3))
            ceiling_set(actor=SYSTEM, ceiling=Decimal(10))
            assert self.cap(cast.tenant) == (Decimal(3), True)
            ceiling_set(actor=SYSTEM, ceiling=None)
            budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(99))
            assert self.cap(cast.tenant) == (Decimal(99), True)

    def test_lower_ceiling_comes_below_the_owners_limit(self, cast, shop):
        with tenant_tx(cast.tenant.id):
            ceiling_set(actor=SYSTEM, ceiling=Decimal(10))
            ceiling_set(actor=SYSTEM, ceiling=Decimal(2))
            assert self.cap(cast.tenant) == (Decimal(2), True)
