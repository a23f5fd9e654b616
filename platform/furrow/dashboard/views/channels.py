"""Where else the assistant answers: a program of the business, WeChat, a mailbox."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.assistants.selectors import assistant_get
from furrow.channels.models import Connection
from furrow.channels.outside import checks, replies
from furrow.channels.outside import connections as services
from furrow.channels.outside.replies import Held
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError, NotFound
from furrow.dashboard.channel_words import channel_error
from furrow.dashboard.doors import (
    actor_of,
    form_page,
    go_to,
    needs,
    page_url,
    paged,
    refusals_in,
    say,
)
from furrow.dashboard.forms.channels import FORMS
from furrow.tenants.web import TenantRequest, asks_model

KINDS = tuple(Connection.Kind.values)


@needs(get="manage_keys")
def channels(request: TenantRequest) -> TemplateResponse:
    context = {
        "connections": list(services.connections_list()),
        "kinds": Connection.Kind.choices,
    }
    return TemplateResponse(request, "dashboard/channels.html", context)


@needs(get="manage_keys", post="manage_keys")
def channel_create(request: TenantRequest) -> HttpResponse:
    channel_kind = request.GET.get("kind", Connection.Kind.REST)
    if channel_kind not in KINDS:
        raise Http404
    form = FORMS[channel_kind](request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            made = services.connection_create(
                actor=actor_of(request),
                kind=channel_kind,
                name=form.cleaned_data["name"],
                assistant=assistant_get(UUID(form.cleaned_data["assistant"])),
                values=checks.values_checked(channel_kind, form.values()),
                secrets=checks.secrets_checked(channel_kind, form.secrets(), is_new=True),
            )
            say(request, _("The channel is there. Try it now."))
            return go_to(request, "channel", made.id)
    title = _("New channel: %(kind)s") % {"kind": Connection.Kind(channel_kind).label}
    back = page_url(request, "channels")
    return form_page(request, form, title=title, submit=_("Add"), back=back)


@needs(get="manage_keys")
def channel(request: TenantRequest, channel_id: UUID) -> TemplateResponse:
    found = services.connection_get(channel_id)
    came, went = services.traffic_list(found)
    is_rest = found.kind == Connection.Kind.REST
    context = {
        "connection": found,
        "came": came[:10],
        "page": paged(request, went),
        "callback": f"{settings.PUBLIC_URL}/channels/{'messages' if is_rest else 'wechat'}/{found.public_key}",
        "secret": services.signing_secret(found) if is_rest else "",
        "error": channel_error(found.error_code),
    }
    response = TemplateResponse(request, "dashboard/channel.html", context)
    response["Cache-Control"] = "no-store"
    return response


@needs(get="manage_keys", post="manage_keys")
def channel_update(request: TenantRequest, channel_id: UUID) -> HttpResponse:
    found = services.connection_get(channel_id)
    form = FORMS[found.kind](request.POST or None, connection=found)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.connection_update(
                actor=actor_of(request),
                connection=found,
                name=form.cleaned_data["name"],
                is_enabled=form.cleaned_data["is_enabled"],
                values=checks.values_checked(found.kind, form.values()),
                secrets=checks.secrets_checked(found.kind, form.secrets(), is_new=False),
            )
            say(request, _("Saved."))
            return go_to(request, "channel", found.id)
    back = page_url(request, "channel", found.id)
    return form_page(request, form, title=found.name, submit=_("Save"), back=back)


@asks_model
@needs(post="manage_keys")
def channel_test(request: TenantRequest, channel_id: UUID) -> HttpResponse:
    """Asks the other side, outside any transaction: it may be slow."""
    with tenant_tx(request.tenant.id):
        found = services.connection_get(channel_id)
    try:
        say(request, checks.connection_try(found))
    except NotFound:
        raise
    except (AppError, Held) as error:
        messages.error(request, channel_error(getattr(error, "code", "held")))
    return go_to(request, "channel", found.id)


@needs(post="manage_keys")
def channel_delete(request: TenantRequest, channel_id: UUID) -> HttpResponse:
    found = services.connection_get(channel_id)
    services.connection_delete(actor=actor_of(request), connection=found)
    undo = page_url(request, "channel_restore", found.id)
    say(request, _("Nobody is answered there any more."), undo=undo)
    return go_to(request, "channels")


@needs(post="manage_keys")
def channel_restore(request: TenantRequest, channel_id: UUID) -> HttpResponse:
    found = services.connection_get(channel_id, include_deleted=True)
    services.connection_restore(actor=actor_of(request), connection=found)
    say(request, _("The channel answers again."))
    return go_to(request, "channels")


@needs(post="manage_keys")
def reply_resend(request: TenantRequest, channel_id: UUID, reply_id: UUID) -> HttpResponse:
    found = services.connection_get(channel_id)
    message: Any = found.outbound.filter(id=reply_id).first()
    if message is None:
        raise NotFound(_("This message does not exist."))
    replies.outbound_resend(message)
    say(request, _("The message is sent again."))
    return go_to(request, "channel", found.id)
