"""What visitors asked, and the tickets that wait for a person."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.conversations import selectors, services
from furrow.conversations.models import Conversation, Ticket
from furrow.dashboard.doors import actor_of, go_to, needs, paged, refusals_in, say, text_of
from furrow.dashboard.forms.business import TicketCloseForm
from furrow.dashboard.wording import ticket_reason
from furrow.tenants.web import TenantRequest


@needs(get="view")
def conversations(request: TenantRequest) -> TemplateResponse:
    filters: dict[str, Any] = {
        name: text_of(request, name) for name in ("query", "state", "channel")
    }
    include_tests = text_of(request, "tests") == "1"
    rows = selectors.conversations_list(**filters, include_tests=include_tests)
    context = {
        "page": paged(request, rows),
        "filters": filters,
        "include_tests": include_tests,
        "is_filtered": any(filters.values()),
        "states": Conversation.State.choices,
        "channels": Conversation.Channel.choices,
    }
    return TemplateResponse(request, "dashboard/conversations.html", context)


@needs(get="view")
def conversation(request: TenantRequest, conversation_id: UUID) -> TemplateResponse:
    found = selectors.conversation_get(conversation_id)
    turns = selectors.turns_of(found).prefetch_related("photos")
    context = {"conversation": found, "turns": turns, "with_trace": True, "with_photos": True}
    return TemplateResponse(request, "dashboard/conversation.html", context)


@needs(get="view")
def tickets(request: TenantRequest) -> TemplateResponse:
    state = text_of(request, "state")
    shown = state if state in Ticket.State.values else Ticket.State.OPEN
    tabs = [
        {"url": f"?state={value}", "label": label, "is_current": value == shown}
        for value, label in Ticket.State.choices
    ]
    page = paged(request, selectors.tickets_list(state=shown))
    context = {"page": page, "tabs": tabs, "state": shown}
    return TemplateResponse(request, "dashboard/tickets.html", context)


@needs(get="view", post="answer")
def ticket(request: TenantRequest, ticket_id: UUID) -> HttpResponse:
    """POST closes it with a note."""
    found = selectors.ticket_get(ticket_id)
    form = TicketCloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.ticket_close(actor=actor_of(request), ticket=found, **form.cleaned_data)
            say(request, _("Ticket %(n)s is closed.") % {"n": found.number})
            return go_to(request, "ticket", found.id)
    context = {
        "ticket": found,
        "reason": ticket_reason(found.reason),
        "turns": selectors.turns_of(found.conversation),
        "form": form,
    }
    return TemplateResponse(request, "dashboard/ticket.html", context)


@needs(post="answer")
def ticket_reopen(request: TenantRequest, ticket_id: UUID) -> HttpResponse:
    found = selectors.ticket_get(ticket_id)
    services.ticket_reopen(actor=actor_of(request), ticket=found)
    say(request, _("Ticket %(n)s is open again.") % {"n": found.number})
    return go_to(request, "ticket", found.id)
