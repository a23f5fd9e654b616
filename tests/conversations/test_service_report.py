"""The monthly report counts what its rows say, part by part."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from furrow.conversations.models import Conversation, Csat, Feedback, Handoff, Message, Turn
from furrow.conversations.service_cost import service_cost
from furrow.conversations.service_report import Served, drafts_for, served
from furrow.core.context import tenant_tx
from furrow.metering.assumptions import assumptions_set
from furrow.tenants.services import SYSTEM

START = timezone.now().replace(hour=4, minute=0, second=0, microsecond=0) - timedelta(days=10)
DAY = timedelta(days=1)


@pytest.fixture
def book(bare_chat: Any) -> Any:
    """Writes conversations with times of their own."""

    class Book:
        tenant_id = bare_chat.tenant_id

        def talk(self, *turns: tuple[str, timedelta], visitor: str = "", **fields: Any) -> Any:
            talk = Conversation.objects.create(
                assistant=bare_chat.assistant, channel="widget", visitor_id=visitor, **fields
            )
            for number, (rung, after) in enumerate(turns, 1):
                made = START + after
                turn = Turn.objects.create(
                    conversation=talk,
                    number=number,
                    text=f"question {rung}",
                    rung=rung,
                    answer="x",
                    status="done",
                    duration_ms=500,
                    usage={"input_miss": 90, "output": 10},
                    finished_at=made + timedelta(seconds=2),
                )
                Turn.objects.filter(id=turn.id).update(created_at=made)
            last = START + max(after for _, after in turns)
            Conversation.objects.filter(id=talk.id).update(
                created_at=START + turns[0][1], last_turn_at=last
            )
            return talk

        def like(self, talk: Any, value: int) -> None:
            turn = Turn.objects.filter(conversation=talk).first()
            Feedback.objects.create(turn=turn, value=value)

        def hand_over(self, talk: Any, *, after: timedelta, wait: timedelta | None) -> None:
            made = START + after
            row = Handoff.objects.create(
                conversation=talk,
                reason="asked",
                taken_at=made + wait if wait else None,
                first_reply_at=made + wait if wait else None,
            )
            Handoff.objects.filter(id=row.id).update(created_at=made)
            if wait:
                message = Message.objects.create(
                    conversation=talk, number=1, after_turn=1, kind="staff", text="by hand"
                )
                Message.objects.filter(id=message.id).update(created_at=made + wait)

        def figures(self) -> Served:
            today = timezone.localdate()
            return served(today - timedelta(days=20), today)

    with tenant_tx(bare_chat.tenant_id):
        yield Book()


NOW = timedelta(0)


def test_confirmed_assumed_and_reopened_stand_apart(book):
    book.like(book.talk(("quoted", NOW)), 1)
    book.talk(("quoted", NOW))
    book.talk(("quoted", NOW), ("quoted", 2 * DAY))
    book.like(book.talk(("quoted", NOW)), -1)
    book.talk(("human", NOW))
    book.talk(("greeting", NOW))
    found = book.figures()
    assert (found.conversations, found.confirmed, found.assumed, found.reopened) == (6, 1, 1, 1)
    assert found.resolved == 2


def test_who_comes_back_for_a_person_was_not_helped(book):
    book.talk(("quoted", NOW), visitor="v")
    again = book.talk(("human", DAY), visitor="v")
    book.hand_over(again, after=DAY, wait=timedelta(minutes=1))
    found = book.figures()
    assert (found.assumed, found.reopened, found.handed_over) == (0, 1, 1)


def test_a_fresh_conversation_is_not_counted_as_solved_yet(book):
    recent = timezone.now() - START - timedelta(hours=1)
    book.talk(("quoted", recent))
    found = book.figures()
    assert (found.open, found.assumed) == (1, 0)


def test_waits_and_first_replies_are_measured(book):
    for wait in (1, 2, 10):
        talk = book.talk(("human", NOW))
        book.hand_over(talk, after=NOW, wait=timedelta(minutes=wait))
    lost = book.talk(("human", NOW))
    book.hand_over(lost, after=NOW, wait=None)
    found = book.figures()
    assert (found.handoffs, found.handoffs_answered, found.wait_s) == (4, 3, 120)
    assert (found.waits_prompt, found.first_reply_s, found.prompt) == (2, 2, 4)


def test_a_wait_outside_the_hours_begins_when_they_open(book):
    talk = book.talk(("human", NOW))
    book.hand_over(talk, after=NOW, wait=timedelta(hours=8))
    Handoff.objects.update(promised_at=START + timedelta(hours=7, minutes=58))
    assert book.figures().wait_s == 120


def test_a_question_left_to_people_is_answered_first_by_their_reply(book):
    talk = book.talk(("person", NOW))
    book.hand_over(talk, after=NOW, wait=timedelta(minutes=4))
    found = book.figures()
    assert (found.first_reply_s, found.prompt) == (240, 0)


def test_effort_counts_tokens_machine_time_and_at_most_five_minutes_a_reply(book):
    talk = book.talk(("human", NOW))
    book.hand_over(talk, after=NOW, wait=timedelta(hours=1))
    found = book.figures()
    assert (found.tokens, found.machine_ms, found.replies) == (100, 500, 1)
    assert found.human_s == 300
    Message.objects.update(created_at=START + timedelta(seconds=40))
    Handoff.objects.update(taken_at=START + timedelta(seconds=10))
    assert book.figures().human_s == 30


def test_feelings_are_counted_and_tests_are_not(book):
    for score in (1, 3, 3):
        Csat.objects.create(conversation=book.talk(("quoted", NOW)), score=score)
    Csat.objects.create(conversation=book.talk(("quoted", NOW), is_test=True), score=1)
    found = book.figures()
    assert (found.unhappy, found.so_so, found.happy, found.conversations) == (1, 0, 2, 3)


def test_nothing_is_divided_by_nothing(book):
    found = book.figures()
    assert found.happy_share is None
    assert found.first_reply_s is None


def test_what_a_member_wrote_is_the_draft_of_an_answer(book):
    talk = book.talk(("human", NOW))
    book.hand_over(talk, after=NOW, wait=timedelta(minutes=1))
    assert drafts_for(["question human", "never asked"]) == {"question human": "by hand"}


def test_another_business_counts_nothing_of_it(book, cast):
    book.like(book.talk(("quoted", NOW)), 1)
    with tenant_tx(cast.other_tenant.id):
        assert book.figures().conversations == 0


def test_the_cost_of_a_confirmed_solution_has_its_parts_and_the_owners_assumptions(book):
    book.like(book.talk(("quoted", NOW)), 1)
    book.talk(("quoted", NOW))
    by_hand = book.talk(("human", NOW))
    book.hand_over(by_hand, after=NOW, wait=timedelta(minutes=2))
    today = timezone.localdate()
    days = (today - timedelta(days=20), today)
    assumptions_set(
        actor=SYSTEM, minutes_per_chat=Decimal(6), wage_per_hour=Decimal(60), solved_percent=None
    )
    found = served(*days)
    cost = service_cost(found, *days)
    assert (found.human_s, cost.resolved, cost.confirmed) == (120, 2, 1)
    assert (cost.people, cost.people_only) == (Decimal(2), Decimal(18))
    assert cost.saved_share == pytest.approx(16 / 18)
    assert cost.each_confirmed(cost.together) == Decimal(2)
    assert cost.each_resolved(cost.people) == Decimal(1)


def test_nothing_served_costs_nothing_each(book):
    today = timezone.localdate()
    cost = service_cost(served(today, today), today, today)
    assert (cost.saved_share, cost.each_confirmed(cost.together)) == (None, None)
