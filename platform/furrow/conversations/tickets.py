"""Writes on tickets: a visitor's wish for a person. `furrow.conversations.services` is where others find them."""

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.conversations.desk import conversation_lock, hand_back_locked, person_wanted
from furrow.conversations.models import Conversation, Ticket
from furrow.core.context import current_tenant_id
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.tenants.models import Tenant
from furrow.tenants.services import Actor, audit

CONTACT_LENGTH = 200
NOTE_LENGTH = 4000


@transaction.atomic
def ticket_open(
    *, conversation: Conversation, contact: str = "", note: str = "", reason: str = "asked"
) -> Ticket:
    """The conversation's open ticket, made when there is none; a contact or note given later is added to it."""
    contact, note = contact.strip(), note.strip()
    if len(contact) > CONTACT_LENGTH or len(note) > NOTE_LENGTH:
        raise Invalid(_("The contact or the note is too long."), field="contact")
    # The conversation first, then the tenant: everyone who takes both takes them in this order.
    conversation_lock(conversation.id)
    ticket: Ticket | None = Ticket.objects.filter(
        conversation=conversation, state=Ticket.State.OPEN
    ).first()
    if ticket is None:
        ticket = Ticket.objects.create(
            conversation=conversation,
            number=_next_number(),
            reason=reason,
            contact=contact,
            note=note,
        )
        _queue(conversation, reason)
        return ticket
    ticket.contact = contact or ticket.contact
    ticket.note = "\n".join(part for part in (ticket.note, note) if part)[:NOTE_LENGTH]
    ticket.save(update_fields=["contact", "note"])
    return ticket


@transaction.atomic
def ticket_close(*, actor: Actor, ticket: Ticket, resolution: str = "") -> Ticket:
    row = _locked(ticket)
    if row.state == Ticket.State.CLOSED:
        raise Conflict(_("This ticket is closed already."))
    row.state, row.resolution, row.closed_at = Ticket.State.CLOSED, resolution, timezone.now()
    row.save(update_fields=["state", "resolution", "closed_at"])
    if row.conversation.state == Conversation.State.WAITING:
        # Its assistant may be deleted since: the ticket has to end all the same.
        hand_back_locked(row.conversation, actor)
    audit(actor, "ticket.closed", object_type="ticket", object_id=row.id)
    return row


@transaction.atomic
def ticket_reopen(*, actor: Actor, ticket: Ticket) -> Ticket:
    row = _locked(ticket)
    if row.state == Ticket.State.OPEN:
        raise Conflict(_("This ticket is open already."))
    if Ticket.objects.filter(conversation=row.conversation, state=Ticket.State.OPEN).exists():
        raise Conflict(_("This conversation has another open ticket."))
    row.state, row.closed_at = Ticket.State.OPEN, None
    row.save(update_fields=["state", "closed_at"])
    _queue(row.conversation, row.reason)
    audit(actor, "ticket.reopened", object_type="ticket", object_id=row.id)
    return row


def _next_number() -> int:
    """Counted under a lock on the tenant that does not hold up foreign key checks."""
    tenants = Tenant.objects.select_for_update(no_key=True).filter(id=current_tenant_id())
    list(tenants.values("id"))
    return (Ticket.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _locked(ticket: Ticket) -> Ticket:
    rows = Ticket.objects.select_related("conversation").filter(id=ticket.id)
    found = rows.first()
    if found is None:
        raise NotFound(_("This ticket does not exist."))
    conversation_lock(found.conversation_id)
    row: Ticket = rows.select_for_update(of=("self",)).get()
    return row


def _queue(conversation: Conversation, reason: str) -> None:
    """A closed conversation stays closed, and one that a member has stays theirs."""
    row = Conversation.objects.get(id=conversation.id)
    if row.state != Conversation.State.CLOSED:
        person_wanted(row, reason=reason)
        conversation.state = row.state
