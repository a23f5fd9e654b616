"""The widget's calls, each as the script makes it: ask, follow, open a source, judge, ask for a person."""

import asyncio
import json
import uuid
from typing import Any

import pytest

from furrow.assistants.services import assistant_publish, assistant_update
from furrow.channels.sessions import session_check
from furrow.conversations.desk import conversation_end
from furrow.conversations.models import Conversation, Feedback, Ticket, Turn
from furrow.core.context import tenant_tx
from furrow.knowledge.services.documents import document_delete
from furrow.tenants.services import SYSTEM
from tests.channels.conftest import QUESTION, SITE, Visitor, code_of, run_jobs
from tests.idempotency import first_call_running


def turns(shop: Any) -> list[Turn]:
    with tenant_tx(shop.tenant.id):
        return list(Turn.objects.order_by("created_at"))


def events_of(response: Any) -> list[tuple[str, Any]]:
    async def collect() -> bytes:
        return b"".join([part async for part in response.streaming_content])

    found = []
    for frame in asyncio.run(collect()).decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in frame.splitlines() if line[0] != ":")
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_question_is_stored_and_answered_in_order(shop, visitor):
    first = visitor.ask("你们周末营业吗？")
    assert first.status_code == 202
    visitor.ask(QUESTION)
    run_jobs()
    kept = visitor.history()
    assert kept["state"] == "bot"
    assert [turn["text"] for turn in kept["turns"]] == ["你们周末营业吗？", QUESTION]
    assert kept["turns"][0]["id"] == first.json()["turn_id"]
    assert kept["turns"][0]["answer"]["text"] == "周末照常营业。"
    assert kept["turns"][0]["answer"]["rung"] == "approved"
    assert kept["turns"][1]["status"] == "done"
    assert kept["turns"][1]["feedback"] is None


def test_history_waits_for_an_answer_that_is_not_there_yet(visitor):
    visitor.ask()
    turn = visitor.history()["turns"][0]
    assert (turn["status"], turn["answer"]) == ("queued", None)


def test_visitor_sees_the_answer_and_nothing_of_the_house(stocked, visitor):
    visitor.answered()
    answer = visitor.history()["turns"][0]["answer"]
    assert set(answer) == {"id", "rung", "text", "citations", "suggestions"}
    assert answer["rung"] == "quoted"
    assert set(answer["citations"][0]) == {"n", "title", "page", "quote"}
    assert "24 小时内拍照" in answer["citations"][0]["quote"]


def test_stream_brings_the_answer_reduced_like_the_history(stocked, visitor):
    turn_id = visitor.answered()
    response = visitor.call("GET", f"turns/{turn_id}/events", Accept="text/event-stream")
    assert response["Content-Type"] == "text/event-stream"
    assert response["X-Accel-Buffering"] == "no"
    assert response["Access-Control-Allow-Origin"] == visitor.origin
    found = events_of(response)
    assert [name for name, _ in found][-2:] == ["answer", "done"]
    said = "".join(data["text"] for name, data in found if name == "delta")
    answer = dict(found)["answer"]
    assert answer == visitor.history()["turns"][0]["answer"]
    assert said == answer["text"]


def test_stream_resumes_after_the_last_event_seen(stocked, visitor):
    turn_id = visitor.answered()
    path = f"turns/{turn_id}/events"
    whole = visitor.call("GET", path)

    async def ids() -> list[str]:
        raw = b"".join([part async for part in whole.streaming_content]).decode()
        return [line[4:] for line in raw.splitlines() if line.startswith("id: ")]

    seen = asyncio.run(ids())
    rest = events_of(visitor.call("GET", path, Last_Event_ID=seen[-2]))
    assert [name for name, _ in rest] == ["done"]


def test_source_opens_with_its_surroundings(stocked, visitor):
    turn_id = visitor.answered()
    quote = visitor.history()["turns"][0]["answer"]["citations"][0]["quote"]
    found = visitor.call("GET", f"citations/{turn_id}/1").json()
    assert found["title"] == "售后政策"
    assert found["text"][found["quote_start"] : found["quote_end"]] == quote
    assert "感谢您在山里果园下单" in found["text"]


def test_source_of_a_deleted_document_is_only_what_was_quoted(stocked, visitor):
    turn_id = visitor.answered()
    with tenant_tx(stocked.tenant.id):
        document_delete(actor=SYSTEM, document=stocked.document)
    found = visitor.call("GET", f"citations/{turn_id}/1").json()
    assert found["quote_start"] == 0
    assert found["quote_end"] == len(found["text"])


def test_only_sources_of_the_answer_open(stocked, visitor):
    turn_id = visitor.answered()
    assert visitor.call("GET", f"citations/{turn_id}/1").status_code == 200
    for number in ("0", "99", "x", "-1", "1000", "²"):
        assert code_of(visitor.call("GET", f"citations/{turn_id}/{number}")) == (404, "not_found")


def test_feedback_is_kept_and_replaced(shop, visitor):
    turn_id = visitor.answered()
    path = f"turns/{turn_id}/feedback"
    assert visitor.call("POST", path, {"value": 1}).status_code == 200
    visitor.call("POST", path, {"value": -1, "comment": "过时了"})
    assert visitor.history()["turns"][0]["feedback"] == {"value": -1}
    with tenant_tx(shop.tenant.id):
        assert Feedback.objects.get().comment == "过时了"


@pytest.mark.parametrize("value", [0, 2, True, "1", None, 1.0, [1]])
def test_feedback_is_a_thumb_up_or_down(visitor, value):
    turn_id = visitor.answered()
    response = visitor.call("POST", f"turns/{turn_id}/feedback", {"value": value})
    assert code_of(response) == (422, "invalid")


def test_asking_for_a_person_opens_one_ticket(shop, visitor):
    visitor.answered()
    body = {"contact": "138 0000 0000", "note": "想退货"}
    response = visitor.call("POST", "handoff", body, Idempotency_Key="h1")
    again = visitor.call("POST", "handoff", body, Idempotency_Key="h1")
    assert response.status_code == 201
    assert again.json() == response.json()
    assert "尽快联系您" in response.json()["message"]
    with tenant_tx(shop.tenant.id):
        ticket = Ticket.objects.get()
    assert (str(ticket.number), ticket.contact, ticket.note) == (
        response.json()["ticket_id"],
        "138 0000 0000",
        "想退货",
    )
    assert visitor.history()["state"] == "waiting"


def test_person_can_be_asked_for_before_any_question(shop, visitor):
    assert visitor.call("POST", "handoff", {"contact": "a@b.test"}).status_code == 201
    assert visitor.history()["turns"] == []


def test_person_without_a_contact_could_not_be_reached(visitor):
    assert code_of(visitor.call("POST", "handoff", {"note": "x"})) == (422, "contact_needed")


def test_business_without_staff_takes_no_handoff(shop, visitor):
    with tenant_tx(shop.tenant.id):
        assistant_update(
            actor=SYSTEM, assistant=shop.assistant, settings={"human": {"enabled": False}}
        )
        assistant_publish(actor=SYSTEM, assistant=shop.assistant)
    response = visitor.call("POST", "handoff", {"contact": "a@b.test"})
    assert code_of(response) == (403, "person_unavailable")


def test_resent_message_is_the_same_turn(shop, visitor):
    first, second = visitor.ask(key="k1"), visitor.ask(key="k1")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert len(turns(shop)) == 1


def test_key_of_another_visitor_is_another_key(shop, visitor):
    other = Visitor(shop.widget)
    other.enter()
    assert visitor.ask(key="k1").json() != other.ask(key="k1").json()


def test_key_with_other_words_is_refused(visitor):
    visitor.ask("一", key="k1")
    assert code_of(visitor.ask("二", key="k1")) == (422, "idempotency_mismatch")


def test_message_still_being_stored_is_asked_for_again(shop, visitor):
    caller = session_check(token=visitor.token, origin=SITE).caller
    with first_call_running(shop.tenant.id, caller, "k1"):
        answer = visitor.ask(key="k1")
    assert code_of(answer) == (425, "idempotency_in_flight")
    assert visitor.ask(key="k1").status_code == 202


def test_message_after_the_conversation_was_closed_begins_another(shop, visitor):
    visitor.answered()
    with tenant_tx(shop.tenant.id):
        conversation_end(actor=SYSTEM, conversation=Conversation.objects.get())
    assert visitor.call("GET", "conversation").status_code == 404
    assert visitor.ask().status_code == 202
    assert len(visitor.history()["turns"]) == 1


def test_return_within_the_same_browser_finds_the_conversation(shop, visitor):
    visitor.answered()
    later = Visitor(shop.widget, known_as=visitor.known_as)
    assert later.enter().json()["conversation_id"] == visitor.history()["id"]
    assert later.history() == visitor.history()


def test_first_visit_has_no_conversation(shop):
    visitor = Visitor(shop.widget)
    assert visitor.enter().json()["conversation_id"] is None
    assert code_of(visitor.call("GET", "conversation")) == (404, "not_found")


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "text_empty"), (" \n\x00", "text_empty"), ("苹" * 2001, "text_too_long")],
)
def test_question_has_a_length(shop, visitor, text, code):
    assert code_of(visitor.ask(text)) == (422, code)
    assert turns(shop) == []


def test_longest_question_is_taken(visitor):
    assert visitor.ask("苹" * 2000).status_code == 202


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("[]", 422),
        ("{", 422),
        ("[" * 15_000, 422),
        ('{"text": 1}', 422),
        ('{"text": "\\ud800"}', 422),
        (json.dumps({"text": "x" * 17_000}), 413),
    ],
    ids=["list", "broken", "deep", "number", "surrogate", "large"],
)
def test_hostile_bodies_are_refused(shop, visitor, raw, status):
    response = visitor.call("POST", "messages", raw)
    assert response.status_code == status
    assert turns(shop) == []


def test_nul_in_a_contact_does_no_harm(shop, visitor):
    assert visitor.call("POST", "handoff", {"contact": "a\x00b"}).status_code == 201
    with tenant_tx(shop.tenant.id):
        assert Ticket.objects.get().contact == "ab"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "turns/{turn}/events"),
        ("POST", "turns/{turn}/feedback"),
        ("GET", "citations/{turn}/1"),
    ],
)
def test_another_visitors_turn_does_not_exist(stocked, rival, visitor, method, path):
    turn_id = visitor.answered()
    neighbour, stranger = Visitor(stocked.widget), Visitor(rival.widget)
    for other in (neighbour, stranger):
        other.enter()
        response = other.call(method, path.format(turn=turn_id), {"value": 1})
        assert code_of(response) == (404, "not_found")
    unknown = visitor.call(method, path.format(turn=uuid.uuid4()), {"value": 1})
    garbled = visitor.call(method, path.format(turn="t1"), {"value": 1})
    assert code_of(unknown) == code_of(garbled) == (404, "not_found")


def test_another_visitors_conversation_is_not_mine(shop, visitor):
    visitor.answered()
    neighbour = Visitor(shop.widget)
    neighbour.enter()
    assert neighbour.call("GET", "conversation").status_code == 404


def test_turn_of_the_dashboard_does_not_exist_here(stocked, visitor):
    visitor.answered()
    with tenant_tx(stocked.tenant.id):
        Conversation.objects.update(channel=Conversation.Channel.DASHBOARD)
        turn_id = Turn.objects.get().id
    assert visitor.call("GET", f"citations/{turn_id}/1").status_code == 404
