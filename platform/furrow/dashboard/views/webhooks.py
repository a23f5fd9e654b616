"""Who is told what: the addresses of programs, and the log of what was sent there."""

from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.channels import deliveries
from furrow.channels import webhooks as services
from furrow.channels.models import WebhookEndpoint
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
from furrow.dashboard.forms.webhooks import WebhookForm
from furrow.dashboard.mail import is_mail_sent
from furrow.tenants.web import TenantRequest


@needs(get="manage_keys")
def webhooks(request: TenantRequest) -> TemplateResponse:
    context = {
        "endpoints": list(services.endpoints_list()),
        "page": paged(request, services.deliveries_list()),
        "attempts": deliveries.ATTEMPTS,
        "is_mailed": is_mail_sent(),
    }
    return TemplateResponse(request, "dashboard/webhooks.html", context)


@needs(get="manage_keys", post="manage_keys")
def webhook_create(request: TenantRequest) -> HttpResponse:
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            made = services.endpoint_create(actor=actor_of(request), **form.cleaned_data)
            return _secret_shown(request, made, services.secret_of(made))
    back = page_url(request, "webhooks")
    return form_page(request, form, title=_("New address"), submit=_("Add"), back=back)


@needs(get="manage_keys", post="manage_keys")
def webhook_update(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    found = services.endpoint_get(webhook_id)
    form = WebhookForm(request.POST or None, endpoint=found)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.endpoint_update(actor=actor_of(request), endpoint=found, **form.cleaned_data)
            say(request, _("Saved."))
            return go_to(request, "webhooks")
    back = page_url(request, "webhooks")
    return form_page(request, form, title=_("Address for messages"), submit=_("Save"), back=back)


@needs(post="manage_keys")
def webhook_secret(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    found = services.endpoint_get(webhook_id)
    secret = services.endpoint_secret_renew(actor=actor_of(request), endpoint=found)
    return _secret_shown(request, found, secret)


def _secret_shown(request: TenantRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
    """The secret is in the answer to this POST and nowhere else."""
    context = {"endpoint": endpoint, "secret": secret, "window_s": services.REPLAY_WINDOW_S}
    response = TemplateResponse(request, "dashboard/webhook_secret.html", context)
    response["Cache-Control"] = "no-store"
    return response


@needs(post="manage_keys")
def webhook_test(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    found = services.endpoint_get(webhook_id)
    deliveries.delivery_test(actor=actor_of(request), endpoint=found)
    say(request, _("The test message is on its way. Load the page again in a moment."))
    return go_to(request, "webhooks")


@needs(post="manage_keys")
def webhook_delete(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    found = services.endpoint_get(webhook_id)
    services.endpoint_delete(actor=actor_of(request), endpoint=found)
    undo = page_url(request, "webhook_restore", found.id)
    say(request, _("Nothing is sent there any more."), undo=undo)
    return go_to(request, "webhooks")


@needs(post="manage_keys")
def webhook_restore(request: TenantRequest, webhook_id: UUID) -> HttpResponse:
    found = services.endpoint_get(webhook_id, include_deleted=True)
    services.endpoint_restore(actor=actor_of(request), endpoint=found)
    say(request, _("Messages are sent there again."))
    return go_to(request, "webhooks")


@needs(post="manage_keys")
def delivery_resend(request: TenantRequest, delivery_id: UUID) -> HttpResponse:
    found = services.delivery_get(delivery_id)
    deliveries.delivery_resend(actor=actor_of(request), delivery=found)
    say(request, _("The message is sent again."))
    return go_to(request, "webhooks")
