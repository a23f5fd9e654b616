"""A member takes over, answers, and hands back; of two who answer at once one is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from furrow.assistants.services import approved_answer_create
from furrow.conversations import desk, replies
from furrow.conversations.csat import csat_set
from furrow.conversations.feed import messages_shown, status_of
from furrow.conversations.models import Conversation, Draft, Handoff, Message, Ticket, Turn
from furrow.conversations.reply_mail import watching_mark
from furrow.conversations.tickets import ticket_close, ticket_open
from furrow.conversations.topics import topic_modes_set
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid, Refused
from furrow.core.models import Job
from furrow.tenants.models import Membership, Role
from furrow.tenants.presence import presence_mark
from furrow.tenants.services import SYSTEM, Actor
from tests.conversations.chats import Chat

QUESTION, ANSWER = "周末发货吗？", "周末照常发货。"


@pytest.fixture
def talk(bare_chat: Chat) -> Chat:
    with tenant_tx(bare_chat.tenant_id):
        approved_answer_create(
            actor=SYSTEM, assistant=bare_chat.assistant, question=QUESTION, answer=ANSWER
        )
    return bare_chat


@pytest.fixture
def inside(talk: Chat) -> Callable[..., Any]:
    """Calls a service as the business, with the conversation as it is now."""

    def call(service: Callable[..., Any], **given: Any) -> Any:
        with tenant_tx(talk.tenant_id):
            row = Conversation.objects.get(id=talk.conversation.id)
            return service(conversation=row, **given)

    return call


def now(talk: Chat) -> Conversation:
    with tenant_tx(talk.tenant_id):
        return Conversation.objects.get(id=talk.conversation.id)


def shown(talk: Chat, *, after: int = 0) -> list[str]:
    with tenant_tx(talk.tenant_id):
        return [each["text"] for each in messages_shown(now(talk), after=after)]


def test_the_assistant_is_silent_while_a_member_has_the_conversation(cast, talk, inside):
    assert talk.ask(QUESTION).answer == ANSWER
    inside(desk.conversation_take, user=cast.owner)
    turn = talk.post(QUESTION)
    assert not jobs.run_next("chat")
    assert (turn.status, turn.rung, turn.answer) == (Turn.Status.DONE, "person", "")
    inside(desk.conversation_hand_back, actor=Actor.user(cast.owner))
    assert talk.ask(QUESTION).answer == ANSWER


def test_a_question_that_waits_is_left_to_the_member_who_took_over(cast, talk, inside):
    turn = talk.post(QUESTION)
    inside(desk.conversation_take, user=cast.owner)
    assert jobs.run_next("chat")
    assert talk.fresh(turn).rung == "person"
    assert talk.fresh(turn).trace == []


def test_an_answer_on_its_way_is_kept_back_when_a_member_takes_over(
    cast, talk, inside, monkeypatch, event_names
):
    from furrow.conversations import turns  # noqa: PLC0415  patched below

    climb = turns.climb

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        answer = climb(*args, **kwargs)
        inside(desk.conversation_take, user=cast.owner)
        return answer

    monkeypatch.setattr(turns, "climb", meanwhile)
    turn = talk.ask(QUESTION)
    assert (turn.rung, turn.answer) == ("person", "")
    names = event_names(talk.frames(turn))
    assert names[-3:] == ["reset", "answer", "done"]
    with tenant_tx(talk.tenant_id):
        assert Draft.objects.get().text == ANSWER


def test_two_members_answer_at_once_and_the_second_is_told(cast, talk, inside):
    inside(replies.reply_send, user=cast.owner, text="mine")
    with pytest.raises(Conflict) as refused:
        inside(replies.reply_send, user=cast.teammate, text="also mine")
    assert refused.value.code == "owned_by_other"
    assert refused.value.details["owner"] == "Owner"
    assert shown(talk) == ["mine"]


def test_who_lost_the_conversation_meanwhile_sends_nothing(cast, talk, inside):
    inside(desk.conversation_take, user=cast.owner)
    inside(desk.conversation_take, user=cast.teammate, is_forced=True)
    with pytest.raises(Conflict):
        inside(replies.reply_send, user=cast.owner, text="too late")
    inside(replies.reply_send, user=cast.teammate, text="here I am")
    assert shown(talk) == ["here I am"]


def test_the_same_form_sent_twice_is_one_message(cast, talk, inside):
    first = inside(replies.reply_send, user=cast.owner, text="once", key="form-1")
    again = inside(replies.reply_send, user=cast.owner, text="once", key="form-1")
    assert first.id == again.id
    assert shown(talk) == ["once"]


def test_a_viewer_and_a_stranger_may_not_answer(cast, inside):
    for user in (cast.viewer, cast.stranger):
        with pytest.raises(Refused):
            inside(replies.reply_send, user=user, text="hello")
        with pytest.raises(Refused):
            inside(desk.conversation_take, user=user)


def test_a_note_never_reaches_the_visitor(cast, talk, inside):
    inside(replies.note_add, user=cast.owner, text="a difficult one")
    inside(replies.reply_send, user=cast.owner, text="hello")
    assert shown(talk) == ["hello"]
    assert now(talk).state == "human"


def test_messages_stand_after_the_question_they_answer(cast, talk, inside):
    talk.ask(QUESTION)
    inside(replies.reply_send, user=cast.owner, text="one")
    talk.post("and now?")
    inside(replies.reply_send, user=cast.owner, text="two")
    with tenant_tx(talk.tenant_id):
        rows = Message.objects.order_by("number").values_list("number", "after_turn", "text")
        assert list(rows) == [(1, 1, "one"), (2, 2, "two")]
    assert shown(talk, after=1) == ["two"]


def test_the_clock_runs_from_the_first_unanswered_word(cast, talk, inside):
    talk.ask("转人工")
    since = now(talk).waiting_since
    assert since is not None
    talk.ask("有人吗")
    assert now(talk).waiting_since == since
    inside(replies.reply_send, user=cast.owner, text="yes")
    assert now(talk).waiting_since is None
    talk.post("thanks, and the fruit?")
    assert now(talk).waiting_since > since


def test_a_thank_you_starts_no_clock_and_stops_none(cast, talk, inside):
    inside(replies.reply_send, user=cast.owner, text="It left today.")
    talk.post("好的谢谢")
    assert now(talk).waiting_since is None
    talk.post("几点到？")
    since = now(talk).waiting_since
    assert since is not None
    talk.post("谢谢")
    assert now(talk).waiting_since == since


def test_a_handoff_keeps_its_times(cast, talk, inside):
    talk.ask("转人工")
    inside(desk.conversation_take, user=cast.teammate)
    inside(replies.reply_send, user=cast.teammate, text="hello")
    inside(desk.conversation_end, actor=Actor.user(cast.teammate))
    with tenant_tx(talk.tenant_id):
        handoff = Handoff.objects.get()
        assert handoff.taken_by == cast.teammate
        assert handoff.created_at < handoff.taken_at < handoff.first_reply_at < handoff.ended_at
        assert Ticket.objects.get().state == "closed"


def test_closing_asks_once_how_it_was(cast, talk, inside):
    with pytest.raises(Conflict):
        inside(csat_set, score=3)
    inside(desk.conversation_take, user=cast.owner)
    inside(desk.conversation_end, actor=Actor.user(cast.owner))
    with pytest.raises(Invalid):
        inside(csat_set, score=4)
    inside(csat_set, score=1)
    inside(csat_set, score=3, comment="after all")
    with tenant_tx(talk.tenant_id):
        assert [(row.score, row.comment) for row in now(talk).csat.all()] == [(3, "after all")]


def test_the_visitor_is_told_who_speaks(cast, talk, inside):
    def status() -> dict[str, Any]:
        with tenant_tx(talk.tenant_id):
            return status_of(now(talk))

    assert status()["owner"] == "assistant"
    talk.ask("转人工")
    waiting = status()
    assert (waiting["owner"], waiting["wait"]["place"]) == ("queue", 1)
    inside(desk.conversation_take, user=cast.owner)
    assert (status()["owner"], status()["name"]) == ("person", "Owner")
    inside(desk.conversation_end, actor=SYSTEM)
    assert status()["owner"] == "nobody"


def test_an_owner_who_left_the_business_leaves_the_visitor_to_others(cast, talk, inside):
    inside(desk.conversation_take, user=cast.teammate)
    with tenant_tx(talk.tenant_id):
        Membership.objects.filter(user=cast.teammate).delete()
    assert talk.ask(QUESTION).answer == ANSWER
    assert now(talk).state == "waiting"
    inside(replies.reply_send, user=cast.owner, text="I have it now")


def test_a_role_taken_away_ends_the_right_to_answer(cast, talk, inside):
    inside(desk.conversation_take, user=cast.teammate)
    with tenant_tx(talk.tenant_id):
        Membership.objects.filter(user=cast.teammate).update(role=Role.VIEWER)
    with pytest.raises(Refused):
        inside(replies.reply_send, user=cast.teammate, text="still me?")


def test_a_ticket_does_not_take_the_conversation_from_its_member(cast, talk, inside):
    inside(desk.conversation_take, user=cast.owner)
    ticket = inside(ticket_open, note="also by phone")
    assert now(talk).state == "human"
    with tenant_tx(talk.tenant_id):
        ticket_close(actor=SYSTEM, ticket=ticket)
    assert now(talk).state == "human"


def test_a_topic_in_draft_waits_for_a_members_word(cast, talk, inside, event_names):
    with tenant_tx(talk.tenant_id):
        topic_modes_set(actor=SYSTEM, modes={"shipping": "draft"})
    turn = talk.ask(QUESTION)
    assert turn.rung == "held"
    assert ANSWER not in turn.answer
    assert not any(ANSWER in frame for frame in talk.frames(turn))
    assert now(talk).waiting_since is not None
    with tenant_tx(talk.tenant_id):
        draft = Draft.objects.get()
        replies.draft_send(user=cast.teammate, draft=draft)
        with pytest.raises(Conflict):
            replies.draft_send(user=cast.owner, draft=draft)
        with pytest.raises(Conflict):
            replies.draft_drop(user=cast.owner, draft=draft)
    assert shown(talk) == [ANSWER]
    assert now(talk).waiting_since is None
    assert now(talk).state == "bot"


def test_a_dropped_draft_says_nothing_and_stops_the_clock(cast, talk):
    with tenant_tx(talk.tenant_id):
        topic_modes_set(actor=SYSTEM, modes={"shipping": "draft"})
    talk.ask(QUESTION)
    with tenant_tx(talk.tenant_id):
        replies.draft_drop(user=cast.owner, draft=Draft.objects.get())
    assert shown(talk) == []
    assert now(talk).waiting_since is None


def test_a_topic_that_is_off_goes_to_people_at_once(talk):
    with tenant_tx(talk.tenant_id):
        topic_modes_set(actor=SYSTEM, modes={"shipping": "off"})
    turn = talk.ask(QUESTION)
    assert turn.rung == "human"
    assert now(talk).state == "waiting"
    assert talk.again(is_test=True).ask(QUESTION).answer == ANSWER


def test_a_visitor_is_promised_no_more_than_is_known(cast, talk):
    assert "看到后" in talk.ask("转人工").answer
    presence_mark(talk.tenant_id, cast.owner.id)
    assert "会有人在这里回复" in talk.again().ask("转人工").answer


def test_a_reply_goes_out_by_mail_when_the_visitor_has_left(talk, inside, cast):
    talk.ask("转人工")
    talk.ask("我的邮箱是 visitor@example.test")
    inside(replies.reply_send, user=cast.owner, text="found it")
    _run_mails()
    assert [(m.to, "found it" in m.body) for m in mail.outbox] == [(["visitor@example.test"], True)]
    watching_mark(talk.tenant_id, talk.conversation.id)
    inside(replies.reply_send, user=cast.owner, text="one more thing")
    _run_mails()
    assert len(mail.outbox) == 1


def _run_mails() -> None:
    from furrow.core.context import unscoped  # noqa: PLC0415

    with unscoped("tests: time passes"):
        Job.objects.filter(state="queued").update(run_after=timezone.now() - timedelta(seconds=1))
    while jobs.run_next("notify"):
        pass
