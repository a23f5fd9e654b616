"""Hours of questions and conversations are what their rows say, also when an opinion or a ticket comes late."""

import importlib
import os
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from furrow.conversations import services
from furrow.conversations.desk import handoff_ensure
from furrow.conversations.figures import Answers, answers_between
from furrow.conversations.hours import ALARM_SOURCE, hour_sum_up, hours_check, hours_sum_up
from furrow.conversations.models import (
    Conversation,
    ConversationHour,
    Draft,
    Feedback,
    Handoff,
    HourDue,
    Ticket,
    Turn,
    TurnHour,
)
from furrow.conversations.replies import draft_keep
from furrow.core.context import tenant_tx, unscoped
from furrow.metering.alarms import alarms_open
from furrow.metering.models import Alarm
from furrow.tenants.services import SYSTEM

FROM, TO = date(2028, 2, 28), date(2028, 3, 1)
NOON = datetime(2028, 2, 29, 4, tzinfo=UTC)
ACTS = ["talk", "answer", "answer", "opinion", "ticket", "taken", "test", "gone", "run"]
RUNGS = ["greeting", "approved", "fact", "composed", "quoted", "human", "person", "held", ""]
PERSONS = {"human", "person", "held"}


@pytest.fixture
def at(monkeypatch):
    """Rows that are made now begin at the given moment."""

    def set_clock(moment):
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    return set_clock


@pytest.fixture
def desk(bare_chat):
    while hours_sum_up():
        pass
    return bare_chat


def talk(desk, **fields):
    with tenant_tx(desk.tenant_id):
        return services.conversation_create(assistant=desk.assistant, channel="widget", **fields)


def answer(desk, conversation, rung, status="done"):
    with tenant_tx(desk.tenant_id):
        number = Turn.objects.filter(conversation=conversation).count() + 1
        turn = Turn.objects.create(conversation=conversation, number=number, text="?")
        Turn.objects.filter(id=turn.id).update(status=status, rung=rung)
        turn.refresh_from_db()
        if rung == "held":
            draft_keep(turn, text="!", rung="composed", citations=[])
    return turn


def opine(desk, turn, value):
    with tenant_tx(desk.tenant_id):
        services.feedback_set(turn=turn, value=value)


def summed_up(desk, since=FROM, until=TO):
    while hours_sum_up():
        pass
    with tenant_tx(desk.tenant_id):
        return answers_between(since, until)


def counted(desk):
    """The same from every row, in plain Python."""
    with tenant_tx(desk.tenant_id):
        liked = dict(Feedback.objects.values_list("turn_id", "value"))
        wished = set(Ticket.objects.values_list("conversation_id", flat=True))
        wished |= set(Handoff.objects.values_list("conversation_id", flat=True))
        drafted = set(Draft.objects.filter(rung="composed").values_list("turn_id", flat=True))
        turns = list(Turn.objects.select_related("conversation"))
        talks = list(Conversation.objects.filter(is_test=False))
    real = [t for t in turns if not t.conversation.is_test and t.rung != "greeting"]
    done = [t for t in real if t.status == "done"]
    solved = [t for t in done if t.rung not in PERSONS | {""} and liked.get(t.id) != -1]
    ended = [c for c in talks if c.id not in wished and _is_resolved(c, turns, liked)]
    praised = {t.conversation_id for t in turns if liked.get(t.id) == 1}
    return Answers(
        conversations=len(talks),
        questions=len(real),
        solved=len(solved),
        resolved=len(ended),
        confirmed=sum(c.id in praised for c in ended),
        by_rung=dict(Counter(t.rung for t in done)),
        written_with_tests=sum(
            t.status == "done" and (t.rung == "composed" or t.id in drafted) for t in turns
        ),
    )


def _is_resolved(conversation, turns, liked):
    own = [t for t in turns if t.conversation_id == conversation.id]
    said = [t.rung for t in own if t.status == "done"]
    return (
        any(rung not in PERSONS | {"", "greeting"} for rung in said)
        and not PERSONS & set(said)
        and all(liked.get(t.id) != -1 for t in own)
    )


def test_late_opinions_move_the_hour_of_the_question_and_of_its_conversation(desk, at):
    at(NOON - timedelta(days=1))
    conversation = talk(desk)
    at(NOON)
    turn = answer(desk, conversation, "quoted")
    assert summed_up(desk).resolved == 1
    at(NOON + timedelta(days=40))
    opine(desk, turn, 1)
    assert (summed_up(desk).solved, summed_up(desk).confirmed) == (1, 1)
    opine(desk, turn, -1)
    after = summed_up(desk)
    assert (after.questions, after.solved, after.resolved, after.confirmed) == (1, 0, 0, 0)
    # In their own days: the conversation began the day before its question.
    assert summed_up(desk, FROM, FROM).questions == 0
    assert summed_up(desk, FROM, FROM).conversations == 1


def test_late_wish_for_a_person_takes_a_conversation_back(desk, at):
    at(NOON)
    conversation = talk(desk)
    answer(desk, conversation, "quoted")
    assert summed_up(desk).resolved == 1
    at(NOON + timedelta(days=3))
    with tenant_tx(desk.tenant_id):
        ticket = services.ticket_open(conversation=conversation)
    assert summed_up(desk).resolved == 0
    with tenant_tx(desk.tenant_id):
        services.ticket_close(actor=SYSTEM, ticket=ticket)
    assert summed_up(desk).resolved == 0


def test_conversation_that_a_member_takes_later_was_not_ended_alone(desk, at):
    at(NOON)
    conversation = talk(desk)
    answer(desk, conversation, "quoted")
    assert summed_up(desk).resolved == 1
    at(NOON + timedelta(days=2))
    with tenant_tx(desk.tenant_id):
        handoff_ensure(conversation, reason="taken")
    assert summed_up(desk).resolved == 0


def test_answer_that_waits_for_a_member_is_written_but_solves_nothing_yet(desk, at):
    at(NOON)
    answer(desk, talk(desk), "held")
    found = summed_up(desk)
    assert (found.questions, found.solved, found.resolved, found.written_with_tests) == (1, 0, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_hours_are_what_the_rows_say_whatever_happens(desk, at, seed):
    """Acts in any order, at any hour, some of them undone or deleted, with runs in between."""
    chance = random.Random(seed)
    talks, turns = [talk(desk)], []
    for _ in range(40):
        at(NOON + timedelta(minutes=chance.randrange(-1400, 1400)))
        act = chance.choice(ACTS)
        if act == "talk":
            talks.append(talk(desk, is_test=chance.random() < 0.2))
        elif act == "answer" and talks:
            status = chance.choice(["done", "done", "failed", "queued"])
            turns.append(answer(desk, chance.choice(talks), chance.choice(RUNGS), status))
        elif act == "opinion" and (done := [t for t in turns if t.status == "done"]):
            opine(desk, chance.choice(done), chance.choice([1, -1]))
        elif act == "ticket" and talks:
            with tenant_tx(desk.tenant_id):
                services.ticket_open(conversation=chance.choice(talks))
        elif act == "taken" and talks:
            with tenant_tx(desk.tenant_id):
                handoff_ensure(chance.choice(talks), reason="taken")
        elif act == "test" and talks:
            with tenant_tx(desk.tenant_id):
                rows = Conversation.objects.filter(id=chance.choice(talks).id)
                rows.update(is_test=chance.random() < 0.5)
        elif act == "gone" and len(talks) > 2:
            gone = talks.pop(chance.randrange(len(talks)))
            turns = [t for t in turns if t.conversation_id != gone.id]
            with tenant_tx(desk.tenant_id):
                Conversation.objects.get(id=gone.id).delete()
        elif act == "run":
            hours_sum_up(limit=3)
    with tenant_tx(desk.tenant_id):
        # The chat's own began now, not in that span.
        Conversation.objects.exclude(id__in=[t.id for t in talks[1:]]).delete()
    assert summed_up(desk) == counted(desk)
    assert hours_check() == 0


def test_run_that_dies_changes_nothing_and_leaves_the_hour_due(desk, at):
    at(NOON)
    answer(desk, talk(desk), "quoted")
    before = summed_up(desk)
    with tenant_tx(desk.tenant_id):
        HourDue.objects.create(hour=NOON)

    def die():
        with tenant_tx(desk.tenant_id):
            hour_sum_up(NOON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    with tenant_tx(desk.tenant_id):
        assert HourDue.objects.count() == 1
        assert answers_between(FROM, TO) == before
        hour_sum_up(NOON)
        hour_sum_up(NOON)
        assert answers_between(FROM, TO) == before


def test_nightly_check_finds_a_wrong_hour_tells_the_operator_and_mends_it(desk, at):
    at(NOON)
    answer(desk, talk(desk), "quoted")
    right = summed_up(desk)
    assert hours_check() == 0
    with tenant_tx(desk.tenant_id):
        TurnHour.objects.update(solved=7)
        ConversationHour.objects.filter(hour=NOON).delete()
        assert answers_between(FROM, TO) != right
    assert hours_check() == 1
    (alarm,) = alarms_open()
    assert (alarm.kind, alarm.source, alarm.amount) == (Alarm.Kind.FIGURES, ALARM_SOURCE, 1)
    assert summed_up(desk) == right
    assert hours_check() == 0


def test_hours_that_are_due_are_not_called_wrong(desk, at):
    at(NOON)
    answer(desk, talk(desk), "quoted")
    assert hours_check() == 0


def test_what_was_asked_before_there_were_hours_is_summed_up(desk, at):
    at(NOON)
    answer(desk, talk(desk), "quoted")
    right = summed_up(desk)
    with tenant_tx(desk.tenant_id):
        TurnHour.objects.all().delete()
        ConversationHour.objects.all().delete()
    migration = importlib.import_module("furrow.conversations.migrations.0005_known_hours")
    with unscoped("as the migration does"), connection.cursor() as cursor:
        cursor.execute(migration.KNOWN)
    assert summed_up(desk) == right


def test_stranger_sees_nothing_of_them(cast, desk, at):
    at(NOON)
    answer(desk, talk(desk), "quoted")
    summed_up(desk)
    with tenant_tx(cast.other_tenant.id):
        assert answers_between(FROM, TO).conversations == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM conversations_turnhour")
            assert cursor.fetchone() == (0,)


def test_figures_take_one_query(desk, django_assert_num_queries):
    with tenant_tx(desk.tenant_id), django_assert_num_queries(1):
        answers_between(FROM, TO)


def test_hour_that_cannot_be_summed_up_holds_up_no_later_one(desk, at):
    """Somebody else keeps the first hour locked for longer than a statement may wait."""
    for hours in (0, 1):
        at(NOON + timedelta(hours=hours))
        answer(desk, talk(desk), "quoted")
    with psycopg.connect(os.environ["DATABASE_URL"]) as other, connection.cursor() as own:
        own.execute("SELECT 'talk' || %s::text || %s::text", [desk.tenant_id, NOON])
        name = own.fetchone()[0]
        own.execute("SET LOCAL lock_timeout = '50ms'")
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        assert hours_sum_up() == 1
    with tenant_tx(desk.tenant_id):
        assert set(HourDue.objects.values_list("hour", flat=True)) == {NOON}
        assert TurnHour.objects.get().hour == NOON + timedelta(hours=1)
    (alarm,) = alarms_open()
    assert (alarm.kind, alarm.source) == ("hours", ALARM_SOURCE)
    assert summed_up(desk).questions == 2
