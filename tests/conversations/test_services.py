"""Posting questions, feedback, tickets and the lists the dashboard shows."""

import pytest
from django.utils import timezone

from furrow.assistants import services as assistants
from furrow.conversations import desk, selectors, services
from furrow.conversations.models import Conversation, Feedback, Turn
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid, LimitReached, NotFound
from furrow.core.models import Job
from furrow.tenants.services import SYSTEM


def waiting_jobs():
    return list(Job.objects.filter(kind="conversations.turn", state="queued"))


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001, "\x00"])
def test_empty_and_overlong_questions_are_refused(bare_chat, text):
    with pytest.raises(Invalid):
        bare_chat.post(text)


def test_question_of_the_greatest_length_is_taken(bare_chat):
    assert bare_chat.post("很" * 2000).number == 1


def test_closed_conversation_takes_no_question(bare_chat):
    with tenant_tx(bare_chat.tenant_id):
        desk.conversation_end(actor=SYSTEM, conversation=bare_chat.conversation)
    with pytest.raises(Conflict) as caught:
        bare_chat.post("你好")
    assert caught.value.code == "conversation_closed"


def test_unpublished_assistant_answers_only_its_draft(bare_chat):
    with tenant_tx(bare_chat.tenant_id):
        draft = assistants.assistant_create(actor=SYSTEM, name="Draft")
        conversation = services.conversation_create(assistant=draft, channel="dashboard")
        with pytest.raises(Conflict) as caught:
            services.turn_create(conversation=conversation, text="hi")
        assert caught.value.code == "not_published"
        assert services.turn_create(conversation=conversation, text="hi", use_draft=True)


def test_conversation_of_a_deleted_assistant_is_gone(bare_chat):
    with tenant_tx(bare_chat.tenant_id):
        assistants.assistant_delete(actor=SYSTEM, assistant=bare_chat.assistant)
    with pytest.raises(NotFound):
        bare_chat.post("你好")
    with tenant_tx(bare_chat.tenant_id), pytest.raises(NotFound):
        selectors.conversation_get(bare_chat.conversation.id)


def test_stranger_finds_neither_conversation_nor_turn_nor_ticket(bare_chat, cast):
    turn = bare_chat.ask("转人工")
    with tenant_tx(bare_chat.tenant_id):
        ticket = selectors.tickets_list().get()
    with tenant_tx(cast.other_tenant.id):
        for read, row in (
            (selectors.conversation_get, bare_chat.conversation),
            (selectors.turn_get, turn),
            (selectors.ticket_get, ticket),
        ):
            with pytest.raises(NotFound):
                read(row.id)
        assert list(selectors.conversations_list(include_tests=True)) == []


def test_questions_of_one_conversation_are_answered_in_order(bare_chat):
    first, second, third = (bare_chat.post(text) for text in ("你好", "谢谢", "再见"))
    assert [turn.number for turn in (first, second, third)] == [1, 2, 3]
    with tenant_tx(bare_chat.tenant_id):
        assert [job.subject_id for job in waiting_jobs()] == [first.id]
    for turn in (first, second, third):
        assert bare_chat.fresh(turn).status == Turn.Status.QUEUED
        assert jobs.run_next("chat")
        assert bare_chat.fresh(turn).status == Turn.Status.DONE
    assert not jobs.run_next("chat")


def test_two_conversations_do_not_wait_for_each_other(bare_chat):
    bare_chat.post("你好")
    bare_chat.again().post("你好")
    with tenant_tx(bare_chat.tenant_id):
        assert len(waiting_jobs()) == 2


def test_too_many_waiting_questions_are_refused(bare_chat):
    for _ in range(10):
        bare_chat.post("你好")
    with pytest.raises(LimitReached):
        bare_chat.post("你好")


def test_given_up_turn_fails_plainly_and_lets_the_next_one_run(bare_chat):
    broken, following = bare_chat.post("hello"), bare_chat.post("你好")
    with tenant_tx(bare_chat.tenant_id):
        Turn.objects.filter(id=broken.id).update(assistant_version_id=None)
        # A configuration that no longer fits is a crash of the handler.
        bare_chat.assistant.settings = {"threshold": 2, "search": 3}
        bare_chat.assistant.save(update_fields=["settings"])
    for _ in range(3):
        with tenant_tx(bare_chat.tenant_id):
            Job.objects.filter(state="queued").update(run_after=timezone.now())
        jobs.run_next("chat")
    broken = bare_chat.fresh(broken)
    assert (broken.status, broken.error_code) == (Turn.Status.FAILED, "internal")
    error = selectors.turn_payload(broken)["error"]
    assert error["message"].startswith("I could not answer this time")
    assert jobs.run_next("chat")
    assert bare_chat.fresh(following).status == Turn.Status.DONE


def test_payload_is_the_contract(chat):
    payload = selectors.turn_payload(chat.ask("到北京的运费多少"))
    assert list(payload) == [
        *("id", "status", "rung", "text", "citations", "suggestions", "usage", "cost")
    ]
    assert payload["suggestions"] == []
    assert payload["usage"] == {"input_hit": 0, "input_miss": 0, "output": 0, "reasoning": 0}
    assert payload["cost"] == {"amount": "0", "currency": "CNY"}
    assert set(payload["citations"][0]) == {
        *("n", "document_id", "title", "page", "quote", "start", "end", "chunk_id")
    }


def test_feedback_replaces_itself_and_needs_an_answer(bare_chat):
    waiting = bare_chat.post("你好")
    with tenant_tx(bare_chat.tenant_id):
        with pytest.raises(Conflict):
            services.feedback_set(turn=waiting, value=1)
    assert jobs.run_next("chat")
    turn = bare_chat.fresh(waiting)
    with tenant_tx(bare_chat.tenant_id):
        services.feedback_set(turn=turn, value=1)
        services.feedback_set(turn=turn, value=-1, comment="wrong")
        assert [(f.value, f.comment) for f in Feedback.objects.all()] == [(-1, "wrong")]
        with pytest.raises(Invalid):
            services.feedback_set(turn=turn, value=0)


def test_ticket_is_closed_and_reopened_with_its_conversation(bare_chat):
    bare_chat.ask("转人工")
    with tenant_tx(bare_chat.tenant_id):
        ticket = selectors.tickets_list().get()
        services.ticket_open(conversation=bare_chat.conversation, contact="138", note="call me")
        closed = services.ticket_close(actor=SYSTEM, ticket=ticket, resolution="called")
        assert (closed.state, closed.contact, closed.note) == ("closed", "138", "call me")
        assert Conversation.objects.get().state == Conversation.State.BOT
        with pytest.raises(Conflict):
            services.ticket_close(actor=SYSTEM, ticket=ticket)
        assert services.ticket_reopen(actor=SYSTEM, ticket=ticket).state == "open"
        assert Conversation.objects.get().state == Conversation.State.WAITING


def test_ticket_numbers_count_up_in_each_tenant(bare_chat, cast):
    for chat in (bare_chat, bare_chat.again()):
        chat.ask("转人工")
    with tenant_tx(bare_chat.tenant_id):
        assert sorted(t.number for t in selectors.tickets_list()) == [1, 2]
    with tenant_tx(cast.other_tenant.id):
        other = assistants.assistant_create(actor=SYSTEM, name="Other")
        conversation = services.conversation_create(assistant=other, channel="api")
        assert services.ticket_open(conversation=conversation).number == 1


def test_list_shows_figures_in_one_query(bare_chat, django_assert_num_queries):
    for text in ("你好", "转人工"):
        turn = bare_chat.ask(text)
        with tenant_tx(bare_chat.tenant_id):
            services.feedback_set(turn=turn, value=1)
    other = bare_chat.again()
    other.ask("hello")
    bare_chat.again(is_test=True).ask("hello")
    with tenant_tx(bare_chat.tenant_id), django_assert_num_queries(1):
        rows = list(selectors.conversations_list())
        assert [row.first_text for row in rows] == ["hello", "你好"]
        row = rows[1]
        assert (row.turn_count, row.last_text, row.last_rung) == (2, "转人工", "human")
        assert (row.likes, row.dislikes, row.has_open_ticket) == (2, 0, True)
        assert row.assistant.name
    with tenant_tx(bare_chat.tenant_id):
        assert len(selectors.conversations_list(query="HELLO")) == 1
        assert len(selectors.conversations_list(include_tests=True)) == 3
        with django_assert_num_queries(2):
            turns = list(selectors.turns_of(bare_chat.conversation))
            assert [turn.judgement[0].value for turn in turns] == [1, 1]
