"""Drafts wait for a member's word, tickets for an end, and nothing that still waits falls out of the queue."""

from collections.abc import Callable
from typing import Any

import pytest

from furrow.assistants.services import approved_answer_create, assistant_delete
from furrow.conversations import desk, inbox, replies
from furrow.conversations.feed import typical_wait_s
from furrow.conversations.models import Conversation, Draft, Handoff, Message, Ticket
from furrow.conversations.tickets import ticket_close, ticket_open
from furrow.conversations.topics import topic_modes_set
from furrow.core.context import tenant_tx
from furrow.core.models import Job
from furrow.tenants.models import AuditEntry
from furrow.tenants.services import SYSTEM, Actor
from tests.conversations.chats import Chat

QUESTION, ANSWER = "周末发货吗？", "周末照常发货。"
PROGRAM = Actor("api_key", "k1", "crm")


@pytest.fixture
def held(bare_chat: Chat) -> Chat:
    """A conversation whose answers wait for a member."""
    with tenant_tx(bare_chat.tenant_id):
        approved_answer_create(
            actor=SYSTEM, assistant=bare_chat.assistant, question=QUESTION, answer=ANSWER
        )
        topic_modes_set(actor=SYSTEM, modes={"shipping": "draft"})
    return bare_chat


@pytest.fixture
def audited(cast: Any) -> Callable[[], list[tuple[str, str]]]:
    def lines() -> list[tuple[str, str]]:
        with tenant_tx(cast.tenant.id):
            rows = AuditEntry.objects.filter(object_type="conversation").order_by("created_at")
            return list(rows.values_list("action", "actor_label"))

    return lines


def test_the_clock_runs_on_while_another_draft_waits(cast, held):
    held.ask(QUESTION)
    held.ask(QUESTION)
    with tenant_tx(held.tenant_id):
        first, second = Draft.objects.order_by("turn__number")
        replies.draft_send(user=cast.owner, draft=first)
        assert inbox.inbox_counts(cast.owner.id)["waiting"] == 1
        replies.draft_send(user=cast.owner, draft=second)
        assert inbox.inbox_counts(cast.owner.id)["waiting"] == 0


def test_a_ticket_of_a_deleted_assistant_can_be_closed(cast, bare_chat):
    with tenant_tx(bare_chat.tenant_id):
        ticket = ticket_open(conversation=bare_chat.conversation)
        assistant_delete(actor=SYSTEM, assistant=bare_chat.assistant)
        ticket_close(actor=Actor.user(cast.owner), ticket=ticket)
        assert Ticket.objects.get().state == "closed"
        assert Conversation.objects.get().state == "bot"


def test_the_queue_leaves_out_what_cannot_be_opened(cast, bare_chat):
    with tenant_tx(bare_chat.tenant_id):
        ticket_open(conversation=bare_chat.conversation)
        assert inbox.inbox_counts(cast.owner.id)["waiting"] == 1
        assistant_delete(actor=SYSTEM, assistant=bare_chat.assistant)
        assert inbox.inbox_counts(cast.owner.id)["waiting"] == 0
        assert not inbox.inbox_list(queue="all", user_id=cast.owner.id)


def test_a_program_stands_in_the_audit_log_not_the_member_it_names(cast, bare_chat, audited):
    talk = bare_chat.conversation
    with tenant_tx(bare_chat.tenant_id):
        replies.reply_send(user=cast.owner, conversation=talk, text="hello", actor=PROGRAM)
        desk.conversation_assign(actor=PROGRAM, conversation=talk, user=cast.teammate)
        desk.conversation_take(user=cast.owner, conversation=talk, is_forced=True)
    assert audited() == [
        ("conversation.assigned", "crm"),
        ("conversation.assigned", "crm"),
        ("conversation.taken", cast.owner.email),
    ]


def test_a_timeline_knows_its_authors(cast, bare_chat, django_assert_num_queries):
    with tenant_tx(bare_chat.tenant_id):
        talk = bare_chat.conversation
        for text in ("one", "two", "three"):
            replies.reply_send(user=cast.owner, conversation=talk, text=text)
        entries = inbox.timeline(talk)
        with django_assert_num_queries(0):
            assert {entry.row.author.email for entry in entries} == {cast.owner.email}


@pytest.mark.parametrize("channel", ["email", "wechat", "rest", "widget"])
def test_a_reply_over_a_channel_outside_goes_out_once(cast, bare_chat, channel):
    with tenant_tx(bare_chat.tenant_id):
        talk = bare_chat.conversation
        Conversation.objects.update(channel=channel)
        ticket_open(conversation=talk, contact="visitor@example.test")
        replies.reply_send(user=cast.owner, conversation=talk, text="found it")
        mails = Job.objects.filter(kind="conversations.reply_mail")
        assert mails.count() == (channel == "widget")


def test_tests_do_not_say_how_long_visitors_wait(cast, bare_chat):
    for is_test in (False, False, True):
        again = bare_chat.again(is_test=is_test)
        with tenant_tx(again.tenant_id):
            replies.reply_send(user=cast.owner, conversation=again.conversation, text="yes")
    with tenant_tx(bare_chat.tenant_id):
        assert Handoff.objects.exclude(first_reply_at=None).count() == 3
        assert Message.objects.count() == 3
        assert typical_wait_s() is None
