"""Compares what visitors and staff sent and received with the rows of the product, id by id. Every fault is named."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.bench.day.customers import PICTURES, Customer
from tests.bench.day.staff import Member
from tests.faults.product import Product

_SPOKEN = {"person", "held"}
_TURNS = """
SELECT t.id::text, t.conversation_id::text, t.number, t.text, t.status, t.rung, t.answer, t.finished_at
  FROM conversations_turn t JOIN conversations_conversation c ON c.tenant_id = t.tenant_id AND c.id = t.conversation_id
 WHERE c.tenant_id = %s AND c.channel = 'widget' AND NOT c.is_test ORDER BY t.conversation_id, t.number
"""
_WORDS = """
SELECT m.id::text, m.conversation_id::text, m.number, m.kind, m.text, m.key, m.author_id::text, m.created_at
  FROM conversations_message m WHERE m.tenant_id = %s ORDER BY m.conversation_id, m.number
"""
_CHANGES = """
SELECT object_id, action, actor_id, created_at, data FROM tenants_auditentry
 WHERE tenant_id = %s AND object_type = 'conversation' ORDER BY created_at, id
"""


_CLAIMS = """
SELECT c.conversation_id::text, c.state, c.offer, coalesce(c.outcome->>'approver', ''), c.decided_by_id::text,
       count(p.id), count(p.id) FILTER (WHERE p.findings ?| array['same_file', 'same_picture'])
  FROM support_claim c LEFT JOIN support_claimphoto p ON p.tenant_id = c.tenant_id AND p.claim_id = c.id
 WHERE c.tenant_id = %s AND c.conversation_id IS NOT NULL GROUP BY c.id
"""


@dataclass(frozen=True)
class Turn:
    id: str
    conversation_id: str
    number: int
    text: str
    status: str
    rung: str
    answer: str
    finished_at: datetime | None


@dataclass(frozen=True)
class Word:
    id: str
    conversation_id: str
    number: int
    kind: str
    text: str
    key: str
    author_id: str
    created_at: datetime


@dataclass(frozen=True)
class Claim:
    conversation_id: str
    state: str
    offer: Decimal | None
    approver: str
    decided_by: str | None
    photos: int
    flagged: int


@dataclass(frozen=True)
class Books:
    turns: list[Turn]
    words: list[Word]
    changes: list[tuple[Any, ...]]
    claims: list[Claim]


def books_read(product: Product, tenant_id: str) -> Books:
    return Books(
        [Turn(*row) for row in product.sql(_TURNS, tenant_id)],
        [Word(*row) for row in product.sql(_WORDS, tenant_id)],
        product.sql(_CHANGES, tenant_id),
        [Claim(*row) for row in product.sql(_CLAIMS, tenant_id)],
    )


def faults_of(customers: list[Customer], members: list[Member], books: Books) -> list[str]:
    found: list[str] = []
    for check in (_sent, _answered, _heard, _posted, _owned, _claimed):
        found += list(check(customers, members, books))
    for who in (*customers, *members):
        found += who.faults
    return found


def _sent(customers: list[Customer], _members: list[Member], books: Books) -> Iterator[str]:
    """Every message is one turn, with its own words, in its order; and there is no other turn."""
    rows = {turn.id: turn for turn in books.turns}
    acknowledged = [sent for customer in customers for sent in customer.sent if sent.turn_id]
    for customer in customers:
        numbers: dict[str, list[int]] = defaultdict(list)
        for sent in customer.sent:
            row = rows.get(sent.turn_id)
            if row is None:
                yield f"lost: a message of visitor {customer.visit.number} has no turn"
                continue
            if row.text != sent.text or row.conversation_id != sent.conversation_id:
                yield f"changed: turn {row.id} is not what was sent"
            numbers[row.conversation_id].append(row.number)
        for conversation_id, seen in numbers.items():
            if seen != list(range(1, len(seen) + 1)):
                yield f"order: conversation {conversation_id} has {seen}"
    extra = len(books.turns) - len({sent.turn_id for sent in acknowledged})
    if extra or len(acknowledged) != len({sent.turn_id for sent in acknowledged}):
        yield f"twice: {len(books.turns)} turns for {len(acknowledged)} messages"


def _answered(customers: list[Customer], _members: list[Member], books: Books) -> Iterator[str]:
    """Each answered turn was read once, as it is stored; what a person was to answer was answered by no machine."""
    rows = {turn.id: turn for turn in books.turns}
    for customer in customers:
        for sent in customer.sent:
            row = rows.get(sent.turn_id)
            if row is None:
                continue
            if row.status != "done":
                yield f"unanswered: turn {row.id} is {row.status}"
            told = [answer["text"] for answer in sent.answers]
            if row.rung == "person":
                if any(told):
                    yield f"silence broken: turn {row.id} is a person's and read {told}"
            elif told != [row.answer]:
                yield f"answers: turn {row.id} ({row.rung}) read {len(told)}, ended {sent.end!r}"


def _heard(customers: list[Customer], _members: list[Member], books: Books) -> Iterator[str]:
    """Every reply of a member came over the feed once, in order, with its words; notes never."""
    told: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for word in books.words:
        if word.kind == "staff":
            told[word.conversation_id].append((word.id, word.number, word.text))
    for customer in customers:
        heard: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
        for each in customer.heard:
            heard[each["conversation_id"]].append((each["id"], each["number"], each["text"]))
        for conversation_id in {sent.conversation_id for sent in customer.sent if sent.turn_id}:
            if heard[conversation_id] != told[conversation_id]:
                yield (
                    f"feed: conversation {conversation_id} heard {len(heard[conversation_id])} of"
                    f" {len(told[conversation_id])} replies"
                )


def _posted(_customers: list[Customer], members: list[Member], books: Books) -> Iterator[str]:
    """A reply that was accepted is one row, one that was refused none."""
    rows = Counter(word.key for word in books.words if word.kind == "staff")
    posted = {wrote.key: wrote for member in members for wrote in member.wrote}
    for key, wrote in posted.items():
        expected = 1 if wrote.status == 302 else 0
        if rows[key] != expected:
            yield f"reply {key}: answered {wrote.status}, stored {rows[key]} times"
    for key in rows.keys() - posted.keys():
        yield f"reply {key} was stored and never posted"


def _owned(_customers: list[Customer], _members: list[Member], books: Books) -> Iterator[str]:
    """Between two changes of the owner only the owner wrote, and the assistant did not."""
    stretches = _stretches(books)
    for word in books.words:
        if word.kind != "staff":
            continue
        owners = {
            owner
            for begin, end, owner in stretches[word.conversation_id]
            if begin <= word.created_at and (end is None or word.created_at <= end)
        }
        if word.author_id not in owners:
            yield f"two owners: reply {word.id} by somebody who did not have the conversation"
    for turn in books.turns:
        if turn.rung in _SPOKEN or turn.finished_at is None or turn.status != "done":
            continue
        for begin, end, _owner in stretches[turn.conversation_id]:
            if begin < turn.finished_at and (end is None or turn.finished_at < end):
                yield f"two owners: the assistant ({turn.rung}) spoke while a person had {turn.conversation_id}"


def _claimed(customers: list[Customer], _members: list[Member], books: Books) -> Iterator[str]:
    """Each report with photos is one claim with these photos; who sent a picture that another chat had is marked; and
    what the rules leave to people was decided by one.
    """
    claims = {claim.conversation_id: claim for claim in books.claims}
    if len(claims) != len(books.claims):
        yield "claims: a conversation has two"
    pictures = 0
    for customer in customers:
        wanted = sum(sent.say.photos for sent in customer.sent if sent.turn_id)
        claim = claims.get(customer.conversation_id)
        if wanted and (claim is None or claim.photos != wanted):
            yield f"claims: {wanted} photos of {customer.conversation_id}, in a claim {claim and claim.photos}"
        pictures += wanted
    fresh = min(PICTURES, pictures)
    if sum(claim.flagged for claim in books.claims) < pictures - fresh:
        yield "claims: a picture sent twice was not marked"
    for claim in books.claims:
        if claim.state == "approved" and claim.approver and claim.decided_by is None:
            yield f"claims: {claim.conversation_id} needed a person's yes and had none"


def _stretches(books: Books) -> dict[str, list[tuple[datetime, datetime | None, str]]]:
    """By conversation: from when to when who had it, as the audit log tells."""
    found: dict[str, list[tuple[datetime, datetime | None, str]]] = defaultdict(list)
    for conversation_id, action, actor_id, at, data in books.changes:
        rows = found[conversation_id]
        if rows and rows[-1][1] is None:
            rows[-1] = (rows[-1][0], at, rows[-1][2])
        if action == "conversation.taken":
            rows.append((at, None, actor_id))
        elif action == "conversation.assigned":
            rows.append((at, None, data["to"]))
    return found
