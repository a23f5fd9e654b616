"""Who speaks in a conversation: the assistant, or one member. All inside `tenant_tx`.

Every change locks the conversation's row, and so does every message, so that of two members who answer at once one
is first and the other is told. States: `bot`, `waiting` (a person was asked for; the assistant goes on helping),
`human` (a member has it; the assistant is silent), `closed`.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.accounts.models import User
from furrow.conversations.bell import ring
from furrow.conversations.models import Conversation, Handoff, Ticket
from furrow.core.errors import Conflict, NotFound, Refused
from furrow.tenants.hours import hours_read
from furrow.tenants.models import Membership
from furrow.tenants.services import Actor, audit

State = Conversation.State


def member_may_answer(user_id: UUID) -> Membership:
    found: Membership | None = (
        Membership.objects.filter(user_id=user_id, user__is_active=True)
        .select_related("user")
        .first()
    )
    if found is None or not found.can("answer"):
        raise Refused(_("This person may not answer visitors here."), code="not_staff")
    return found


def shown_name(user: User) -> str:
    """What a visitor reads: a name, never an address."""
    return user.name.strip()


def conversation_lock(conversation_id: UUID) -> None:
    """Turn numbers and the order of answers hang on this lock; it does not hold up foreign key checks."""
    list(
        Conversation.objects.select_for_update(no_key=True).filter(id=conversation_id).values("id")
    )


def conversation_locked(conversation_id: UUID) -> Conversation:
    """The row as it is now, locked; not found once its assistant is deleted."""
    row: Conversation | None = (
        Conversation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("assistant")
        .filter(id=conversation_id, assistant__deleted_at=None)
        .first()
    )
    if row is None:
        raise NotFound(_("This conversation does not exist."))
    return row


def owner_present(conversation: Conversation) -> User | None:
    """The owner, unless that person has left the business since."""
    if conversation.state != State.HUMAN or conversation.owner_id is None:
        return None
    member: Membership | None = (
        Membership.objects.filter(user_id=conversation.owner_id, user__is_active=True)
        .select_related("user")
        .first()
    )
    return member.user if member and member.can("answer") else None


def require_free_or_own(conversation: Conversation, user: User) -> None:
    """Raises `Conflict` when another member has it; `details["owner"]` says who."""
    owner = owner_present(conversation)
    if owner is not None and owner.id != user.id:
        raise Conflict(
            _("%(name)s has this conversation now. Nothing was sent; your text is kept.")
            % {"name": owner.name or owner.email},
            code="owned_by_other",
            owner=owner.name or owner.email,
        )


@transaction.atomic
def conversation_take(*, user: User, conversation: Conversation, is_forced: bool = False) -> None:
    """Makes the member its owner; the assistant falls silent. `is_forced` takes it from another member."""
    member_may_answer(user.id)
    row = conversation_locked(conversation.id)
    require_open(row)
    if not is_forced:
        require_free_or_own(row, user)
    take_locked(row, user)


def take_locked(row: Conversation, user: User, *, actor: Actor | None = None) -> None:
    """The row is locked and checked. `actor` gives it to the member; without one the member takes it."""
    if row.state == State.HUMAN and row.owner_id == user.id:
        return
    before = row.owner_id
    row.state, row.owner = State.HUMAN, user
    row.save(update_fields=["state", "owner"])
    now = timezone.now()
    handoff = handoff_ensure(row, reason="taken")
    if handoff.taken_at is None:
        handoff.taken_at, handoff.taken_by = now, user
        handoff.save(update_fields=["taken_at", "taken_by"])
    given = {"from": str(before)} if before else {}
    if actor is not None:
        given["to"] = str(user.id)
    audit(
        actor or Actor.user(user),
        "conversation.assigned" if actor else "conversation.taken",
        object_type="conversation",
        object_id=row.id,
        **given,
    )
    ring(row)


@transaction.atomic
def conversation_assign(
    *, actor: Actor, conversation: Conversation, user: User, is_forced: bool = True
) -> None:
    """Gives it to a member, whoever has it now; without `is_forced` not when another has it."""
    member_may_answer(user.id)
    row = conversation_locked(conversation.id)
    require_open(row)
    if not is_forced:
        require_free_or_own(row, user)
    take_locked(row, user, actor=actor)


@transaction.atomic
def conversation_hand_back(*, actor: Actor, conversation: Conversation) -> None:
    """The assistant speaks again; the person's work here is done."""
    row = conversation_locked(conversation.id)
    require_open(row)
    require_may_end(row, actor)
    hand_back_locked(row, actor)


def hand_back_locked(row: Conversation, actor: Actor) -> None:
    """The row is locked and open."""
    if row.state == State.BOT:
        return
    row.state, row.owner, row.waiting_since = State.BOT, None, None
    row.save(update_fields=["state", "owner", "waiting_since"])
    handoff_end(row)
    tickets_close(row)
    audit(actor, "conversation.handed_back", object_type="conversation", object_id=row.id)
    ring(row)


@transaction.atomic
def conversation_end(*, actor: Actor, conversation: Conversation) -> None:
    """Closes it and asks the visitor, in one tap, how it was. What comes next begins a new conversation."""
    row = conversation_locked(conversation.id)
    if row.state == State.CLOSED:
        return
    require_may_end(row, actor)
    row.state, row.waiting_since = State.CLOSED, None
    if not row.csat.exists():
        row.csat_asked_at = timezone.now()
    row.save(update_fields=["state", "waiting_since", "csat_asked_at"])
    handoff_end(row)
    tickets_close(row)
    audit(actor, "conversation.closed", object_type="conversation", object_id=row.id)
    ring(row)


def require_may_end(row: Conversation, actor: Actor) -> None:
    """What a colleague is in the middle of is ended by that colleague, or by who leads the business; a program acts for
    the business itself.
    """
    owner = owner_present(row)
    if owner is None or actor.kind != "user" or actor.id == str(owner.id):
        return
    member: Membership | None = Membership.objects.filter(user_id=actor.id).first()
    if member is None or not member.can("manage_members"):
        raise Conflict(
            _("%(name)s has this conversation now. Take it over first; then you can end it.")
            % {"name": owner.name or owner.email},
            code="take_over_first",
            owner=owner.name or owner.email,
        )


def require_open(row: Conversation) -> None:
    if row.state == State.CLOSED:
        raise Conflict(_("This conversation is closed."), code="conversation_closed")


def handoff_ensure(row: Conversation, *, reason: str) -> Handoff:
    """The open handoff, made when there is none. Test chats have theirs too; no figure counts them."""
    handoff: Handoff | None = Handoff.objects.filter(conversation=row, ended_at=None).first()
    if handoff is None:
        now = timezone.now()
        promised = hours_read().next_opening(now)
        later = promised if promised and promised > now else None
        handoff = Handoff.objects.create(conversation=row, reason=reason, promised_at=later)
    return handoff


def handoff_end(row: Conversation) -> None:
    Handoff.objects.filter(conversation=row, ended_at=None).update(ended_at=timezone.now())


def person_wanted(row: Conversation, *, reason: str) -> None:
    """Puts a conversation the assistant has into the queue; one that a member has stays there."""
    if row.state == State.BOT:
        row.state = State.WAITING
    if row.waiting_since is None:
        row.waiting_since = timezone.now()
    row.save(update_fields=["state", "waiting_since"])
    handoff_ensure(row, reason=reason)
    ring(row)


def person_waits(row: Conversation, *, at: datetime) -> None:
    """The visitor wrote while a person is to answer: the clock runs from the first unanswered word."""
    if row.state in {State.WAITING, State.HUMAN} and row.waiting_since is None:
        row.waiting_since = at
        row.save(update_fields=["waiting_since"])


def tickets_close(row: Conversation) -> None:
    Ticket.objects.filter(conversation=row, state=Ticket.State.OPEN).update(
        state=Ticket.State.CLOSED, closed_at=timezone.now()
    )
