"""What the owner sees of money: right sums, a fixed number of queries, tables no spreadsheet runs."""

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from furrow.conversations import services as conversations
from furrow.conversations.models import Turn
from furrow.core.context import tenant_tx
from furrow.dashboard.charts import bar_chart
from furrow.dashboard.money import money_text
from furrow.dashboard.spans import Span, points, span_of, today
from furrow.metering.budgets import budget_set
from furrow.metering.credit import adjustment_post, credit_add, prepaid_set
from furrow.metering.models import Balance, Budget, UsageHour
from furrow.metering.selectors import usage_by
from furrow.metering.spending import Spending, days_left
from furrow.tenants.models import ApiKey, Membership
from furrow.tenants.services import SYSTEM
from tests.dashboard.conftest import answered
from tests.dashboard.money import rolled_up, spend_at
from tests.metering.conftest import Payer


@pytest.fixture
def spent(cast, shop):
    """0.8 by the assistant today with half a million tokens cached, 0.002 for documents."""
    now = timezone.now()
    assistant = {"assistant_id": str(shop.assistant.id), "channel": "widget", "rung": "composed"}
    spend_at(cast.tenant.id, now, 500_000, 0, 68_750, 0, **assistant)
    spend_at(cast.tenant.id, now, 0, 20_000, 0, 0, kind="embedding")
    rolled_up()
    return shop


def turns(shop, tenant, *rungs):
    with tenant_tx(tenant.id):
        for rung in rungs:
            talk = conversations.conversation_create(assistant=shop.assistant, channel="widget")
            turn = conversations.turn_create(conversation=talk, text="?")
            answered(turn, shop.document, shop.chunks[0])
            Turn.objects.filter(id=turn.id).update(rung=rung)
    rolled_up()


def test_page_says_what_today_and_this_month_cost(english, spent, page):
    context = english.get(page("costs")).context
    assert context["spent"].today == context["spent"].month == Decimal("0.802")
    assert context["spent"].last_month == 0
    assert "¥0.80" in english.get(page("costs")).content.decode()


def test_cost_of_a_conversation_and_of_a_solved_question(english, cast, spent, page):
    """The shop's own conversation, a written answer, one by a person and one greeting: two questions solved."""
    turns(spent, cast.tenant, "composed", "human", "greeting")
    context = english.get(page("costs")).context
    assert context["answers"].conversations == 4
    assert context["answers"].solved == 2
    assert context["per_solved"] == Decimal("0.401")
    assert context["per_conversation"] == Decimal("0.2005")


def test_savings_are_what_the_model_would_have_cost(english, cast, spent, page):
    turns(spent, cast.tenant, "composed", "composed", "approved", "fact", "human")
    savings = english.get(page("costs")).context["savings"]
    assert savings.is_measured
    assert savings.each == Decimal("0.4")
    assert (savings.approved, savings.quoted) == (Decimal("0.8"), Decimal("0.4"))
    # Half a million tokens at 0.5 instead of 2 a million.
    assert savings.prefix == Decimal("0.75")
    assert savings.total == Decimal("1.95")


def test_savings_without_an_answer_of_the_model_use_a_usual_one_and_say_so(english, shop, page):
    rolled_up()
    response = english.get(page("costs"))
    savings = response.context["savings"]
    # 1,500 tokens at 2 and 200 at 8 a million.
    assert (savings.each, savings.quoted) == (Decimal("0.0046"), Decimal("0.0046"))
    assert "an answer of usual length" in response.content.decode()


@pytest.mark.parametrize("name", ["costs", "worth"])
def test_pages_of_money_read_hours_only(english, spent, page, name):
    """Neither usage nor conversations one by one, however many there are, and each in one query."""
    rolled_up()
    with CaptureQueriesContext(connection) as captured:
        assert english.get(page(name)).status_code == 200
    asked = [query["sql"] for query in captured]
    tables = {word.strip('"') for sql in asked for word in re.findall(r'[\w"]+', sql)}
    assert not tables & {"metering_usageevent", "conversations_turn", "conversations_feedback", "conversations_conversation"}  # fmt: skip
    assert sum("metering_usagehour" in sql for sql in asked) == 1
    assert sum("conversations_turnhour" in sql for sql in asked) == 1


def test_parts_add_up_whatever_they_are_divided_by(english, spent, page):
    for group in ("assistant", "model", "channel", "key", "rung", "kind"):
        parts = english.get(page("costs") + f"?by={group}").context["parts"]
        assert sum(part["amount"] for part in parts) == Decimal("0.802"), group
        assert sum(part["share"] for part in parts) == pytest.approx(1), group
        assert all(part["name"] for part in parts), group
    names = [part["name"] for part in english.get(page("costs")).context["parts"]]
    assert names == ["小助手", "Not by an assistant"]


@pytest.mark.parametrize(
    "span", ["today", "week", "month", "last_month", "quarter", "year", "nonsense"]
)
def test_chart_is_the_sum_of_its_span(english, cast, spent, page, span):
    spend_at(cast.tenant.id, timezone.now() - timedelta(days=80), 0, 0, 10_000, 0)
    rolled_up()
    context = english.get(page("costs") + f"?span={span}").context
    drawn = sum(amount for _, amount in context["chart"]["points"])
    assert drawn == context["spent"].span
    assert context["spent"].span == {
        "last_month": Decimal(0), "quarter": Decimal("0.882"), "year": Decimal("0.882")
    }.get(span, Decimal("0.802"))  # fmt: skip


@pytest.mark.parametrize("most", [28])
def test_costs_ask_the_same_queries_however_much_was_used(
    english, cast, spent, page, most, django_assert_max_num_queries
):
    def ask() -> None:
        with django_assert_max_num_queries(most):
            english.get(page("costs") + "?span=quarter&by=key")

    ask()
    with tenant_tx(cast.tenant.id):
        keys = [
            ApiKey.objects.create(name=f"k{n}", scopes=[], secret_hash=str(n)) for n in range(9)
        ]
    for number, key in enumerate(keys):
        moment = timezone.now() - timedelta(days=number * 9)
        spend_at(cast.tenant.id, moment, 0, 10, 10, 0, api_key_id=str(key.id))
    rolled_up()
    ask()


@pytest.mark.parametrize("span", ["today", "month", "quarter", "year"])
def test_usage_on_the_page_is_one_query_of_hours_and_none_of_events(
    english, spent, page, span, django_assert_max_num_queries
):
    with django_assert_max_num_queries(28) as asked:
        english.get(page("costs") + f"?span={span}&by=model")
    of_usage = [
        query["sql"] for query in asked.captured_queries if "metering_usage" in query["sql"]
    ]
    assert len(of_usage) == 1
    assert "metering_usagehour" in of_usage[0]


def test_table_is_a_file_whose_cells_no_spreadsheet_runs(english, cast, shop, page):
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"]
    with tenant_tx(cast.tenant.id):
        keys = [
            ApiKey.objects.create(name=name, scopes=[], secret_hash=str(n))
            for n, name in enumerate(evil)
        ]
    for key in keys:
        spend_at(cast.tenant.id, timezone.now(), 0, 100, 0, 0, api_key_id=str(key.id), model="=cmd")
    rolled_up()
    response = english.get(page("costs_table") + "?by=key")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response["Content-Disposition"]
    text = response.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert {row[0] for row in rows[1:]} == {f"'{name}" for name in evil}
    models = english.get(page("costs_table") + "?by=model").content.decode("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(models))][1:] == ["'=cmd"]


def test_days_without_usage_are_there_too():
    span = Span("week", today() - timedelta(days=6), today())
    assert [amount for _, amount in points(span, {})] == [Decimal(0)] * 7


def test_twelve_months_end_with_this_one():
    span = span_of("year")
    assert (span.unit, span.until, span.since.day) == ("month", today(), 1)
    assert len(points(span, {})) == 12


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "UTC"])
def test_hours_meet_their_sums_in_any_zone(cast, spent, settings, zone):
    settings.TIME_ZONE = zone
    with tenant_tx(cast.tenant.id), timezone.override(zone):
        moment = UsageHour.objects.latest("hour").hour
        day = timezone.localtime(moment).date()
        rows = usage_by(since=day, until=day, group_by="hour")
        drawn = points(Span("today", day, day), {row.key: row.charged for row in rows})
    assert len(drawn) == 24
    assert sum(amount for _, amount in drawn) == sum(row.charged for row in rows) > 0


def test_chart_scale_ends_at_a_round_amount_above_the_most():
    chart = bar_chart([("a", Decimal("0.0031")), ("b", Decimal(0))], currency="CNY", summary="")
    assert chart.top == "¥0.005"
    assert [bar.height for bar in chart.bars] == [pytest.approx(74.4), 0]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "¥0.00"), ("12.345", "¥12.34"), ("1234.5", "¥1,234.50"), ("0.5", "¥0.50"),
        ("0.0028", "¥0.0028"), ("0.00281", "¥0.0028"), ("0.0000004", "<¥0.000001"), ("-3", "−¥3.00"),
        ("0.996", "¥1.00"), ("0.0999", "¥0.10"),
    ],
)  # fmt: skip
def test_amounts_are_short_and_never_a_wrong_nothing(amount, shown):
    assert money_text(Decimal(amount), "CNY") == shown


def test_limit_is_set_changed_lifted_and_brought_back(english, cast, shop, page):
    created = english.post(
        page("budget_create"),
        {
            "scope": "visitor:*",
            "period": "day",
            "cap_hard": "0.50",
            "thresholds": ["80"],
            "step": "shorter",
            "step_at": "70",
        },
    )
    assert created.status_code == 302, created.context["form"].errors
    with tenant_tx(cast.tenant.id):
        made = Budget.objects.get(scope_kind="visitor")
        assert (made.scope_id, made.cap_hard, made.thresholds) == ("*", Decimal("0.5"), [80])
        assert made.steps == [{"at": 70, "step": "shorter", "max_tokens": 256}]
    form = english.get(page("budget_update", made.id)).context["form"]
    assert (form.initial["step"], form.initial["step_at"]) == ("shorter", 70)
    changed = {"cap_hard": "0.7", "cap_soft": "0.6", "step": "quoted", "step_at": "80"}
    english.post(page("budget_update", made.id), changed)
    english.post(page("budget_end", made.id))
    with tenant_tx(cast.tenant.id):
        assert not Budget.objects.get(id=made.id).is_active
    english.post(page("budget_restore", made.id))
    with tenant_tx(cast.tenant.id):
        made.refresh_from_db()
        assert made.is_active
        assert (made.cap_hard, made.cap_soft, made.thresholds) == (
            Decimal("0.7"),
            Decimal("0.6"),
            [],
        )


def test_steps_set_over_the_api_are_left_alone(english, cast, shop, page):
    steps = [{"at": 50, "step": "cheaper", "model": "m"}, {"at": 90, "step": "human"}]
    with tenant_tx(cast.tenant.id):
        budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(9), steps=steps)
    form = english.get(page("budget_update", shop.budget.id)).context["form"]
    assert form.initial["step"] == "keep"
    english.post(
        page("budget_update", shop.budget.id), {"cap_hard": "8", "step": "keep", "step_at": "80"}
    )
    with tenant_tx(cast.tenant.id):
        assert Budget.objects.get(id=shop.budget.id).steps == steps


@pytest.mark.parametrize(
    "data",
    [
        {"scope": "tenant:", "cap_hard": ""}, {"scope": "tenant:", "cap_hard": "-1"},
        {"scope": "tenant:x", "cap_hard": "1"}, {"scope": "planet:*", "cap_hard": "1"},
        {"scope": "tenant:", "cap_hard": "NaN"}, {"scope": "tenant:", "cap_hard": "1", "thresholds": ["33"]},
    ],
)  # fmt: skip
def test_impossible_limits_come_back_with_a_sentence(english, cast, page, data):
    response = english.post(
        page("budget_create"), {"period": "month", "step": "", "step_at": "80", **data}
    )
    assert response.status_code == 200
    assert response.context["form"].errors


def test_budgets_show_how_full_they_are(english, cast, spent, page):
    with tenant_tx(cast.tenant.id):
        budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal("0.802"))
        budget_set(actor=SYSTEM, scope_kind="assistant", scope_id="*", cap_hard=Decimal(1))
    text = english.get(page("budgets")).content.decode()
    assert "Used up: the model is not asked any more." in text
    assert "100 %" in text
    assert "Each assistant" in text


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("staff", 403), ("viewer", 403)])
def test_only_leaders_see_money(cast, shop, page, role, status):
    with tenant_tx(cast.tenant.id):
        Membership.objects.filter(user=cast.teammate).update(role=role)
    client = cast.client(cast.teammate)
    for name in ("costs", "costs_table", "budgets"):
        assert client.get(page(name)).status_code == status, name
    home = client.get(page("home")).content.decode()
    assert (page("costs") in home) == (status == 200)


def pay_in(tenant, amount, reference="transfer 7"):
    with tenant_tx(tenant.id):
        prepaid_set(actor=SYSTEM, is_prepaid=True)
        credit_add(actor=SYSTEM, amount=Decimal(amount), reference=reference)


def test_owner_who_pays_in_advance_sees_what_is_left_and_for_how_long(english, cast, shop, page):
    pay_in(cast.tenant, 10)
    payer = Payer(cast.tenant.id)
    hold = payer.hold(0, 125_000)
    payer.settle(hold, 0, 0, 125_000, 0)
    payer.hold(0, 125_000)
    rolled_up()
    response = english.get(page("costs"))
    credit = response.context["credit"]
    # One yuan spent, and a little over one held.
    assert credit["paid_in"] == 10
    assert Decimal("7.99") < credit["left"] < 8
    text = response.content.decode()
    assert "left of ¥10.00" in text
    assert "Nothing limits this yet" not in text
    assert "transfer 7" in english.get(page("invoices")).content.decode()


def test_owner_whose_credit_is_used_up_is_told_what_still_answers(english, cast, shop, page):
    pay_in(cast.tenant, "0.01")
    payer = Payer(cast.tenant.id)
    payer.settle(payer.hold(0, 1_249), 0, 0, 1_249, 0)
    with tenant_tx(cast.tenant.id):
        Balance.objects.filter(scope="wallet").update(posted=F("cap_hard"))
    response = english.get(page("costs"))
    assert response.context["credit"]["tone"] == "bad"
    assert "no model is asked until more is paid in" in response.content.decode()


def test_owner_with_a_monthly_bill_sees_no_credit(english, shop, page):
    response = english.get(page("costs"))
    assert response.context["credit"] is None
    assert response.context["money_warnings"] == []


def test_home_warns_leaders_of_credit_and_limits_that_run_low(cast, english, shop, page):
    pay_in(cast.tenant, "0.01")
    payer = Payer(cast.tenant.id)
    payer.budget("0.008")
    payer.settle(payer.hold(0, 900), 0, 0, 900, 0)
    home = english.get(page("home")).content.decode()
    assert "A limit of your business is nearly reached" in home
    assert "Your credit" not in home
    payer.budget("1")
    payer.settle(payer.hold(0, 150), 0, 0, 150, 0)
    home = english.get(page("home")).content.decode()
    assert "Your credit is running low: ¥0.0016 is left." in home
    assert "A limit of your business" not in home
    with tenant_tx(cast.tenant.id):
        Membership.objects.filter(user=cast.teammate).update(role="staff")
    assert "low" not in str(cast.client(cast.teammate).get(page("home")).context["money_warnings"])
    pay_in(cast.tenant, "5", reference="transfer 8")
    assert "Your credit" not in english.get(page("home")).content.decode()


@pytest.mark.parametrize(
    ("month", "last_month", "day", "days"),
    [("30", "0", 10, 3), ("1", "300", 2, 1), ("0", "0", 15, None), ("0", "300", 15, None)],
)
def test_credit_lasts_as_long_as_the_pace_says(month, last_month, day, days):
    zero = Decimal(0)
    spent = Spending("CNY", zero, Decimal(month), Decimal(last_month), zero, zero, zero, 0, None)
    assert days_left(Decimal(10), spent, date(2026, 11, day)) == days


def test_owner_sees_what_a_low_budget_left_of_an_answer(english, cast, shop, page):
    step = {
        "name": "shorter",
        "max_tokens": 200,
        "model": None,
        "scope": "tenant",
        "used_percent": 83,
    }
    with tenant_tx(cast.tenant.id):
        Turn.objects.filter(id=shop.turn.id).update(
            rung="composed", trace=[{"rung": "composed", "outcome": "answered", "step": step}]
        )
    text = english.get(page("conversation", shop.conversation.id)).content.decode()
    assert "Budget 83 % used: shorter answers" in text
    with tenant_tx(cast.tenant.id):
        whole = [{"rung": "composed", "outcome": "answered", "step": step | {"name": "full"}}]
        Turn.objects.filter(id=shop.turn.id).update(trace=whole)
    assert "% used" not in english.get(page("conversation", shop.conversation.id)).content.decode()


def test_what_was_adjusted_by_hand_explains_the_limit(english, cast, spent, page):
    """The limit counts it, the price of answers does not: without a word the two figures differ."""
    with tenant_tx(cast.tenant.id):
        budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(5))
    assert "by hand" not in english.get(page("costs")).content.decode()
    with tenant_tx(cast.tenant.id):
        adjustment_post(actor=SYSTEM, amount=Decimal("-0.3"), note="goodwill")
    response = english.get(page("costs"))
    assert response.context["adjusted"] == Decimal("-0.3")
    assert "−¥0.30 was adjusted by hand" in response.content.decode()
    ((_, balance),) = response.context["gauges"]
    assert balance.posted == response.context["spent"].month + response.context["adjusted"]
