"""People alone against the assistant: the sums, and that the assumptions are kept and shown."""

from decimal import Decimal

import pytest
from django.utils import timezone

from furrow.conversations import services as conversations
from furrow.conversations.models import Turn
from furrow.core.context import tenant_tx
from furrow.metering.models import Assumptions
from furrow.tenants.models import Membership
from tests.dashboard.conftest import answered
from tests.dashboard.money import rolled_up, spend_at


@pytest.fixture
def talked(cast, shop):
    """Beside the shop's chat, which has a ticket: two praised, one unpraised, one disliked, one by a person."""
    with tenant_tx(cast.tenant.id):
        for rung, opinion in (
            ("composed", 1), ("quoted", 1), ("approved", 0), ("composed", -1), ("human", 0)
        ):  # fmt: skip
            talk = conversations.conversation_create(assistant=shop.assistant, channel="widget")
            turn = conversations.turn_create(conversation=talk, text="?")
            answered(turn, shop.document, shop.chunks[0])
            Turn.objects.filter(id=turn.id).update(rung=rung)
            if opinion:
                conversations.feedback_set(turn=turn, value=opinion)
    spend_at(cast.tenant.id, timezone.now(), 0, 0, 75_000, 0, assistant_id=str(shop.assistant.id))
    rolled_up()


def test_measured_cost_stands_beside_people_alone(english, talked, page):
    worth = english.get(page("worth")).context["worth"]
    assert (worth.chats, worth.resolved, worth.confirmed) == (6, 3, 2)
    # 5 minutes at 30 an hour.
    assert worth.person_each == Decimal("2.5")
    assert worth.people_only == 15
    assert (worth.bill, worth.people_rest) == (Decimal("0.6"), Decimal("7.5"))
    assert worth.difference == Decimal("6.9")
    assert (worth.each_resolved, worth.each_confirmed) == (Decimal("0.2"), Decimal("0.3"))


def test_assumptions_are_kept_for_the_business_and_shown_beside_the_result(
    english, cast, talked, page
):
    data = {"minutes_per_chat": "12", "wage_per_hour": "50", "solved_percent": "80"}
    assert english.post(page("worth") + "?span=week", data).status_code == 302
    response = english.get(page("worth"))
    assert response.context["worth"].people_only == 60
    assert response.context["worth"].people_rest == 12
    text = response.content.decode()
    assert "12 minutes for a chat, ¥50.00 for an hour" in text
    assert "80 %" in text
    assert "as you supposed." in text
    with tenant_tx(cast.other_tenant.id):
        assert not Assumptions.objects.exists()
    data["solved_percent"] = ""
    english.post(page("worth"), data)
    assert english.get(page("worth")).context["worth"].is_measured


@pytest.mark.parametrize(
    "data",
    [
        {"minutes_per_chat": "0", "wage_per_hour": "1"}, {"minutes_per_chat": "5", "wage_per_hour": "-1"},
        {"minutes_per_chat": "5", "wage_per_hour": "1", "solved_percent": "101"}, {"minutes_per_chat": "NaN"},
    ],
)  # fmt: skip
def test_impossible_assumptions_come_back_with_a_sentence(english, shop, page, data):
    assert english.post(page("worth"), data).context["form"].errors


def test_assistant_that_costs_more_is_said_to_cost_more(english, cast, talked, page):
    spend_at(cast.tenant.id, timezone.now(), 0, 0, 10_000_000, 0)
    rolled_up()
    response = english.get(page("worth"))
    assert response.context["worth"].difference < 0
    assert "The assistant costs more by" in response.content.decode()


def test_staff_cannot_see_or_change_it(cast, shop, page):
    client = cast.client(cast.teammate)
    with tenant_tx(cast.tenant.id):
        assert Membership.objects.get(user=cast.teammate).role == "staff"
    assert client.get(page("worth")).status_code == 403
    assert client.post(page("worth"), {}).status_code == 403
