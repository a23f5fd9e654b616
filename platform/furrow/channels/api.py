"""The calls of the widget. Each is one visitor's, on one site, with one session; see edge.py for the door."""

import json
from collections.abc import AsyncIterator
from typing import Any, cast

from django.http import HttpResponse

from furrow.assistants.config import AssistantConfig
from furrow.assistants.language import short_language
from furrow.channels import edge, limits, photos, selectors
from furrow.channels.identity import MOST_LENGTH
from furrow.channels.models import WidgetVisitor
from furrow.channels.sessions import Visit, glance, session_open
from furrow.channels.transcripts import transcript_ask
from furrow.channels.wording import sentence
from furrow.conversations import services, streams
from furrow.conversations.feed import csat_wanted
from furrow.conversations.models import Conversation
from furrow.core.context import release_connection, tenant_tx
from furrow.core.errors import Invalid, NotFound, Refused
from furrow.core.web import client_ip
from furrow.knowledge.storage import file_path
from furrow.tenants.presence import members_present

COMMENT_LENGTH = 500
NOTE_LENGTH = 1000


@edge.endpoint("POST")
def sessions(request: edge.WidgetRequest) -> edge.Result:
    """Opens a session for a page of a listed site and says how the widget looks there."""
    body = edge.json_body(request)
    if language := edge.text_field(body, "lang", length=20):
        request.widget_language = short_language(language)
    opened = session_open(
        public_key=edge.text_field(body, "assistant", length=64),
        origin=edge.site_of(request),
        visitor_token=edge.text_field(body, "visitor", length=100),
        language=request.widget_language,
        ip=limits.address_bucket(client_ip(request)),
        identity=edge.text_field(body, "identity", length=MOST_LENGTH),
    )
    visit = opened.visit
    with tenant_tx(visit.tenant_id):
        conversation = selectors.conversation_of(visit.visitor)
        judged = selectors.conversation_judged(visit.visitor)
        asks_csat = judged is not None and csat_wanted(judged)
        config = selectors.widget_config(visit.widget, visit.language)
    return 201, {
        "token": opened.token,
        "expires_at": opened.expires_at,
        "visitor": opened.visitor_token,
        "conversation_id": str(conversation.id) if conversation else None,
        "asks_csat": asks_csat,
        "customer": selectors.customer_shown(visit.visitor),
        "config": config,
    }


@edge.endpoint("GET")
@edge.visited
def conversation(visit: Visit) -> edge.Result:
    found = selectors.conversation_of(visit.visitor)
    if found is None:
        raise NotFound("There is no conversation yet.")
    return 200, selectors.history(found)


@edge.endpoint("POST")
@edge.visited
def messages(visit: Visit, body: dict[str, Any]) -> edge.Result:
    text = edge.text_field(body, "text", length=services.TEXT_LENGTH, code="text_too_long")
    wanted = body.get("photos") or []
    if not text and not wanted:
        raise Invalid("Write a question first.", code="text_empty", field="text")
    limits.message_count(visit)
    conversation = _conversation_ensure(visit)
    sent = photos.photos_unsent(conversation, wanted)
    text = text or sentence("photo_only", visit.language)
    turn = services.turn_create(conversation=conversation, text=text)
    photos.photos_attach(turn, sent)
    is_with_person = turn.rung == services.PERSON_RUNG
    return 202, {
        "turn_id": str(turn.id),
        "number": turn.number,
        "conversation_id": str(turn.conversation_id),
        "answered_by": "person" if is_with_person else "assistant",
    }


@edge.endpoint("GET")
def events(request: edge.WidgetRequest, turn_id: str) -> edge.Result:
    """The answer as it is written. The stream holds one Redis connection and none to the database."""
    visit = edge.visit_of(request)
    with tenant_tx(visit.tenant_id):
        turn = selectors.turn_of(visit.visitor, turn_id)
    response = streams.sse_response(request, visit.tenant_id, turn.id)
    frames = cast(AsyncIterator[bytes], response.streaming_content)
    response.streaming_content = frames_shown(frames)
    return response


@edge.endpoint("POST")
@edge.visited
def feedback(visit: Visit, body: dict[str, Any], turn_id: str) -> edge.Result:
    value = body.get("value")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("Feedback is 1 or -1.", field="value")
    services.feedback_set(
        turn=selectors.turn_of(visit.visitor, turn_id),
        value=value,
        comment=edge.text_field(body, "comment", length=COMMENT_LENGTH),
    )
    return 200, {"value": value}


@edge.endpoint("GET")
@edge.visited
def citation(visit: Visit, turn_id: str, number: str) -> edge.Result:
    turn = selectors.turn_of(visit.visitor, turn_id)
    if len(number) > 3 or not number.isascii() or not number.isdigit():
        raise NotFound("This answer has no such source.")
    return 200, selectors.passage(turn, int(number))


@edge.endpoint("POST")
@edge.visited
def handoff(visit: Visit, body: dict[str, Any]) -> edge.Result:
    """A ticket for the staff, with the conversation as its transcript."""
    contact = edge.text_field(body, "contact", length=200)
    note = edge.text_field(body, "note", length=NOTE_LENGTH)
    published = visit.widget.assistant.published
    if published is None or not AssistantConfig.of_version(published).human.enabled:
        raise Refused("This business answers no chats in person.", code="person_unavailable")
    if not contact and not members_present(visit.tenant_id):
        raise Invalid("A contact is needed.", code="contact_needed", field="contact")
    limits.handoff_count(visit)
    ticket = services.ticket_open(
        conversation=_conversation_ensure(visit), contact=contact, note=note
    )
    message = sentence("person_asked", visit.language)
    return 201, {"ticket_id": str(ticket.number), "message": message}


@edge.endpoint("POST")
@edge.uploaded(photos.MOST_BYTES)
def photo_create(visit: Visit, data: bytes) -> edge.Result:
    """Keeps a photo until a message names it."""
    limits.photo_count(visit)
    release_connection()
    clean = photos.photo_read(data)
    with tenant_tx(visit.tenant_id):
        photo = photos.photo_keep(conversation=_conversation_ensure(visit), clean=clean)
    return 201, photos.photo_shown(photo)


@edge.endpoint("GET")
@edge.visited
def photo_read(visit: Visit, photo_id: str) -> edge.Result:
    own = selectors.conversations_of(visit.visitor)
    found = photos.photo_get(photo_id, conversations=own)
    data = file_path(found.file_key).read_bytes()
    response = HttpResponse(data, content_type=found.content_type)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@edge.endpoint("GET")
@edge.visited
def cards(visit: Visit, turn_id: str) -> edge.Result:
    """What an answer from the business's own rows was about, as it stands there now."""
    turn = selectors.turn_of(visit.visitor, turn_id)
    return 200, {"cards": selectors.cards_of(turn, visit.language)}


@edge.endpoint("POST")
@edge.visited
def transcript(visit: Visit, body: dict[str, Any]) -> edge.Result:
    found = selectors.conversation_latest(visit.visitor)
    if found is None:
        raise NotFound("There is no conversation yet.")
    limits.transcript_count(visit)
    address = edge.text_field(body, "email", length=254, code="address_invalid")
    transcript_ask(conversation=found, address=address, language=visit.language)
    return 202, {"message": sentence("transcript_asked", visit.language)}


@edge.endpoint("POST")
def unread(request: edge.WidgetRequest) -> edge.Result:
    """What a page may show on the button before anybody opened the chat: news of a conversation there was."""
    body = edge.json_body(request)
    seen = body.get("seen")
    visitor = glance(
        public_key=edge.text_field(body, "assistant", length=64),
        origin=edge.site_of(request),
        visitor_token=edge.text_field(body, "visitor", length=100),
        identity=edge.text_field(body, "identity", length=MOST_LENGTH),
    )
    if visitor is None:
        return 200, selectors.NOTHING_UNREAD
    with tenant_tx(visitor.tenant_id):
        return 200, selectors.unread_of(visitor, seen if isinstance(seen, dict) else {})


@edge.endpoint("GET")
def nothing(request: edge.WidgetRequest, rest: str) -> edge.Result:
    """Any other address, refused in the same words as a missing object."""
    raise NotFound("There is nothing here.")


def _conversation_ensure(visit: Visit) -> Conversation:
    """The visitor's running conversation. The visitor is locked, so that two tabs begin one and not two."""
    visitor = WidgetVisitor.objects.select_for_update(no_key=True).get(id=visit.visitor.id)
    return selectors.conversation_of(visitor) or services.conversation_create(
        assistant=visit.widget.assistant,
        channel=Conversation.Channel.WIDGET,
        visitor_id=str(visitor.id),
        language=visit.language,
    )


async def frames_shown(frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same events, the answer reduced to what a visitor may see."""
    async for frame in frames:
        head, _, data = frame.partition(b"data: ")
        if b"event: answer\n" in head:
            shown = selectors.answer_shown(json.loads(data))
            text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
            frame = head + f"data: {text}\n\n".encode()
        yield frame
