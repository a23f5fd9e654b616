"""Many turns at once on committed rows, claimed by several workers as in production."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection
from django.utils import timezone

from furrow.assistants.services import (
    approved_answer_create,
    assistant_create,
    assistant_publish,
    gap_record,
)
from furrow.conversations.figures import answers_between
from furrow.conversations.hours import hour_sum_up, hours_sum_up
from furrow.conversations.models import Feedback, Ticket, Turn
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.models import Job
from furrow.tenants.services import SYSTEM, tenant_create
from tests.conversations.chats import chat_with
from tests.emptying import rows_remove

WORKERS = 6
CHATS = 10
TEXTS = ("你好", "运费多少？", "转人工", "你们卖显卡吗", "运费怎么算")


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    """A tenant whose rows are really committed; everything is emptied afterwards."""
    with django_db_blocker.unblock():
        tenant = tenant_create(name="Parallel", slug="parallel")
        with tenant_tx(tenant.id):
            assistant = assistant_create(actor=SYSTEM, name="小青")
            assistant_publish(actor=SYSTEM, assistant=assistant)
            approved_answer_create(
                actor=SYSTEM,
                assistant=assistant,
                question="运费多少？",
                answer="12元。",
                variants=["运费怎么算"],
            )
        yield tenant.id, assistant
        rows_remove()


def work_until(deadline, is_done):
    try:
        while time.monotonic() < deadline and not is_done():
            if not jobs.run_next("chat"):
                time.sleep(0.02)
    finally:
        connection.close()


@pytest.mark.slow
def test_fifty_turns_are_each_answered_once_and_in_order(committed):
    tenant_id, assistant = committed
    chats = [chat_with(tenant_id, assistant) for _ in range(CHATS)]
    turns = [chat.post(text) for text in TEXTS for chat in chats]

    def is_done():
        with tenant_tx(tenant_id):
            return not Turn.objects.exclude(status="done").exists()

    deadline = time.monotonic() + 60
    with ThreadPoolExecutor(WORKERS) as pool:
        for worker in [pool.submit(work_until, deadline, is_done) for _ in range(WORKERS)]:
            worker.result()
    with tenant_tx(tenant_id):
        rows = list(Turn.objects.order_by("conversation_id", "number"))
        assert len(rows) == len(turns) == 50
        expected = ["greeting", "approved", "human", "human", "approved"]
        assert [row.rung for row in rows] == expected * CHATS
        finished = [(row.conversation_id, row.finished_at) for row in rows]
        assert finished == sorted(finished)
        assert set(Job.objects.values_list("state", "attempts")) == {("done", 1)}
        assert sorted(Ticket.objects.values_list("number", flat=True)) == list(range(1, CHATS + 1))
        assert assistant.gaps.get().asked_count == CHATS
        assert assistant.approved_answers.get().used_count == 2 * CHATS


def test_same_gap_recorded_at_the_same_time_is_one_gap(committed):
    tenant_id, assistant = committed

    def record(_):
        try:
            with tenant_tx(tenant_id):
                gap_record(assistant=assistant, question="有没有榴莲")
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(record, range(24)))
    with tenant_tx(tenant_id):
        assert assistant.gaps.get().asked_count == 24


def test_wordings_asked_in_the_same_second_share_a_line(committed):
    """The second is recorded while the first is not committed yet: it must wait for it and join."""
    tenant_id, assistant = committed
    is_recorded, is_other_done = Event(), Event()

    def first():
        try:
            with tenant_tx(tenant_id):
                gap_record(assistant=assistant, question="可以寄到新疆吗")
                is_recorded.set()
                is_other_done.wait(0.3)
        finally:
            connection.close()

    def second():
        try:
            assert is_recorded.wait(10)
            with tenant_tx(tenant_id):
                gap_record(assistant=assistant, question="新疆能寄吗")
            is_other_done.set()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(first), pool.submit(second)]:
            each.result(10)
    with tenant_tx(tenant_id):
        head = assistant.gaps.get(question="可以寄到新疆吗")
        assert assistant.gaps.get(question="新疆能寄吗").head_id == head.id


@pytest.mark.slow
def test_change_that_commits_after_the_hours_ran_leaves_its_hour_due(committed):
    """The run does not see it, and must not take its mark away."""
    tenant_id, assistant = committed
    turn = chat_with(tenant_id, assistant).post("运费多少？")
    assert jobs.run_next("chat")
    while hours_sum_up():
        pass
    today = timezone.localdate()
    is_written, may_commit = Event(), Event()

    def dislike():
        try:
            with tenant_tx(tenant_id):
                Feedback.objects.create(turn=turn, value=-1)
                is_written.set()
                assert may_commit.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(dislike)
        assert is_written.wait(10)
        with tenant_tx(tenant_id):
            hour_sum_up(turn.created_at.replace(minute=0, second=0, microsecond=0))
            assert answers_between(today, today).solved == 1
        may_commit.set()
        writer.result(10)
    assert hours_sum_up() == 1
    with tenant_tx(tenant_id):
        assert answers_between(today, today).solved == 0
