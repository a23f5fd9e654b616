"""Reads behind the widget. Everything of a conversation is looked up for its visitor: what belongs to another
visitor, another widget or another tenant does not exist.
"""

import re
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Length, Substr
from django.utils import timezone

from furrow.accounts.models import User
from furrow.assistants.config import AssistantConfig
from furrow.channels.models import Widget, WidgetVisitor
from furrow.channels.photos import photo_shown
from furrow.channels.transcripts import is_mail_sent
from furrow.conversations.desk import shown_name
from furrow.conversations.feed import messages_shown, status_of, typical_wait_s
from furrow.conversations.models import Conversation, Turn
from furrow.conversations.selectors import turns_of
from furrow.core.context import unscoped
from furrow.core.errors import NotFound
from furrow.core.extensions import extensions
from furrow.knowledge.models import DocumentVersion
from furrow.tenants.hours import hours_read
from furrow.tenants.presence import members_present

HISTORY_LENGTH = 100
PEOPLE_SHOWN = 3
MOST_CARDS = 3
EXCERPT_LENGTH = 160
FACT_RUNG = "fact"
DEFAULT_COLOR = "#2f6b3c"
# How much of the document is shown on either side of a quote.
CONTEXT_LENGTH = 400
_CUT_WITHIN = 120


def widget_address(public_key: str) -> tuple[UUID, UUID] | None:
    """(tenant id, widget id) of the widget a page names."""
    with unscoped("find the tenant of a widget by its public key"):
        rows = Widget.objects.filter(public_key=public_key)
        found: tuple[UUID, UUID] | None = rows.values_list("tenant_id", "id").first()
        return found


def widget_on_duty(widget_id: UUID) -> Widget | None:
    """The widget with its assistant, unless it, the assistant or the business is out of service."""
    rows = Widget.objects.select_related("assistant__published")
    widget: Widget | None = rows.filter(
        id=widget_id, is_enabled=True, assistant__deleted_at=None, tenant__is_suspended=False
    ).first()
    return widget


def widget_config(widget: Widget, language: str) -> dict[str, Any]:
    """What the widget shows before the first question, inside `tenant_tx`. `widget` has a published version."""
    published = AssistantConfig.of_version(widget.assistant.published)
    theme = widget.theme
    name = theme.get("title") or published.name
    wanted = theme.get("language", "auto")
    human = published.human
    return {
        "name": name,
        "greeting": theme.get(f"greeting_{language}") or published.greeting[language],
        "color": theme.get("color") or DEFAULT_COLOR,
        "position": theme.get("position", "right"),
        "suggestions": list(published.suggestions[language]),
        "languages": ["zh", "en"] if wanted == "auto" else [wanted],
        "avatar_text": name[:1].upper(),
        # Only who is seen at work is promised; otherwise a contact is asked for.
        "human_available": human.enabled and bool(members_present(widget.tenant_id)),
        "human_enabled": human.enabled,
        "hours_note": " · ".join(part for part in (human.contact, human.hours) if part),
        "people": _people(widget) if human.enabled else None,
        "notice": theme.get(f"notice_{language}", ""),
        "sound": theme.get("sound", "on") == "on",
        "scheme": theme.get("scheme", "auto"),
        "can_mail": is_mail_sent(),
    }


def _people(widget: Widget) -> dict[str, Any]:
    """Who of the business is there, by the names that visitors read anyway, and when somebody is again."""
    now = timezone.now()
    opening = hours_read().next_opening(now)
    is_open = opening is None or opening <= now
    present = User.objects.filter(id__in=members_present(widget.tenant_id), is_active=True)
    return {
        "names": [name for user in present[:PEOPLE_SHOWN] if (name := shown_name(user))],
        "opens_at": opening.isoformat() if opening and not is_open else None,
        "typical_s": typical_wait_s(),
    }


def conversation_of(visitor: WidgetVisitor) -> Conversation | None:
    """The visitor's running conversation; a closed one is over, the next message begins another."""
    rows = Conversation.objects.filter(
        visitor_id=str(visitor.id), channel=Conversation.Channel.WIDGET
    )
    conversation: Conversation | None = (
        rows.exclude(state=Conversation.State.CLOSED)
        .select_related("assistant")
        .order_by("-created_at")
        .first()
    )
    return conversation


def customer_shown(visitor: WidgetVisitor) -> dict[str, str] | None:
    if not visitor.customer_id:
        return None
    return {"id": visitor.customer_id, "name": visitor.customer_name}


def conversations_of(visitor: WidgetVisitor) -> QuerySet[Any]:
    """Every conversation of the visitor, closed ones too."""
    rows: QuerySet[Any] = Conversation.objects.filter(
        visitor_id=str(visitor.id), channel=Conversation.Channel.WIDGET
    )
    return rows


def conversation_latest(visitor: WidgetVisitor) -> Conversation | None:
    found: Conversation | None = conversations_of(visitor).order_by("-created_at").first()
    return found


def cards_of(turn: Turn, language: str) -> list[dict[str, str]]:
    """At most three, for an answer from live rows; what a row does not say stays away."""
    if turn.rung != FACT_RUNG:
        return []
    found = [card for make in extensions.cards.values() for card in make(turn.text, language)]
    return found[:MOST_CARDS]


NOTHING_UNREAD: dict[str, Any] = {"unread": 0, "name": "", "text": "", "watch": False}


def unread_of(visitor: WidgetVisitor, seen: dict[str, Any]) -> dict[str, Any]:
    """Words of a member that this browser has not shown yet. `seen` names the conversation and its last number;
    `watch` says whether more may come.
    """
    found = conversation_latest(visitor)
    if found is None:
        return NOTHING_UNREAD
    number = seen.get("number") if seen.get("conversation") == str(found.id) else 0
    is_number = isinstance(number, int) and 0 <= number < 10**9
    messages = messages_shown(found, after=int(number or 0) if is_number else 0)
    last = messages[-1] if messages else {"name": "", "text": ""}
    return {
        "unread": len(messages),
        "name": last["name"],
        "text": last["text"][:EXCERPT_LENGTH],
        "watch": found.state in {Conversation.State.WAITING, Conversation.State.HUMAN},
    }


def conversation_judged(visitor: WidgetVisitor) -> Conversation | None:
    """The visitor's latest conversation, also when it is closed, if they were asked how it was."""
    rows = Conversation.objects.filter(
        visitor_id=str(visitor.id), channel=Conversation.Channel.WIDGET
    )
    latest: Conversation | None = rows.order_by("-created_at").first()
    return latest if latest is not None and latest.csat_asked_at is not None else None


def turn_of(visitor: WidgetVisitor, turn_id: str) -> Turn:
    try:
        wanted = UUID(turn_id)
    except ValueError:
        raise NotFound("This message does not exist.") from None
    turn: Turn | None = (
        Turn.objects.filter(
            id=wanted,
            conversation__visitor_id=str(visitor.id),
            conversation__channel=Conversation.Channel.WIDGET,
        )
        .select_related("conversation")
        .first()
    )
    if turn is None:
        raise NotFound("This message does not exist.")
    return turn


def history(conversation: Conversation) -> dict[str, Any]:
    """The conversation as its visitor sees it, the latest turns in order."""
    rows = turns_of(conversation).prefetch_related("photos")
    latest = rows.order_by("-number")[:HISTORY_LENGTH]
    turns = [_turn_shown(turn) for turn in reversed(latest)]
    return {
        "id": str(conversation.id),
        "state": conversation.state,
        "turns": turns,
        "messages": messages_shown(conversation),
        "status": status_of(conversation),
    }


def _turn_shown(turn: Any) -> dict[str, Any]:
    is_done = turn.status == Turn.Status.DONE
    shown = {
        "id": turn.id,
        "rung": turn.rung,
        "text": turn.answer,
        "citations": turn.citations,
        "suggestions": turn.suggestions,
    }
    judged = turn.judgement[0] if turn.judgement else None
    return {
        "id": str(turn.id),
        "number": turn.number,
        "text": turn.text,
        "status": turn.status,
        "answer": answer_shown(shown) if is_done else None,
        "feedback": {"value": judged.value} if judged else None,
        "photos": [photo_shown(photo) for photo in turn.photos.all()],
        "created_at": turn.created_at,
    }


def answer_shown(payload: dict[str, Any]) -> dict[str, Any]:
    """The part of an answer that is a visitor's business: no costs, no scores, no ids of the owner's files."""
    citations = [
        {name: citation.get(name) for name in ("n", "title", "page", "quote")}
        for citation in payload["citations"]
    ]
    return {
        "id": str(payload["id"]),
        "rung": payload["rung"],
        "text": payload["text"],
        "citations": citations,
        "suggestions": payload.get("suggestions", []),
    }


def passage(turn: Turn, number: int) -> dict[str, Any]:
    """A cited sentence with what stands around it. Of a document that was deleted since, or whose text has
    changed at that place, only the sentence that was quoted at the time.
    """
    citation = next((each for each in turn.citations if each["n"] == number), None)
    if citation is None:
        raise NotFound("This answer has no such source.")
    quote = citation["quote"]
    before, after = _surroundings(citation)
    return {
        "title": citation["title"],
        "page": citation["page"],
        "text": before + quote + after,
        "quote_start": len(before),
        "quote_end": len(before) + len(quote),
    }


def _surroundings(citation: dict[str, Any]) -> tuple[str, str]:
    start, quote = citation["start"], citation["quote"]
    low = max(0, start - CONTEXT_LENGTH)
    # Cut in the database: the text of a long document is megabytes.
    row = (
        DocumentVersion.objects.filter(
            document_id=citation["document_id"],
            document__deleted_at=None,
            document__knowledge_base__deleted_at=None,
        )
        .annotate(
            quoted=Substr("text", start + 1, len(quote)),
            before=Substr("text", low + 1, start - low),
            after=Substr("text", start + len(quote) + 1, CONTEXT_LENGTH),
            left=Length(F("text")) - Value(start + len(quote) + CONTEXT_LENGTH),
        )
        .filter(quoted=quote)
        .order_by("-number")
        .values("before", "after", "left")
        .first()
    )
    if row is None:
        return "", ""
    before = _from_a_boundary(row["before"]) if low else row["before"]
    after = _to_a_boundary(row["after"]) if row["left"] > 0 else row["after"]
    return before, after


def _from_a_boundary(text: str) -> str:
    found = re.search(r"\n|[。！？]|[.!?] | ", text[:_CUT_WITHIN])
    return "…" + (text[found.end() :] if found else text)


def _to_a_boundary(text: str) -> str:
    tail = text[-_CUT_WITHIN:]
    found = list(re.finditer(r"(?=\n)|(?<=[。！？])|(?<=[.!?])(?= )|(?= )", tail))
    kept = text[: len(text) - len(tail) + found[-1].start()] if found else text
    return kept + "…"
