"""Doors without a tenant in the address: the chooser at `/`, invitations, and the stream of an answer."""

from typing import cast
from uuid import UUID

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from furrow.accounts.models import User
from furrow.accounts.services import user_ensure
from furrow.accounts.views import with_language
from furrow.conversations import selectors as conversations
from furrow.conversations import streams
from furrow.core.context import tenant_tx
from furrow.core.errors import NotFound
from furrow.dashboard.forms.business import JoinForm
from furrow.dashboard.mail import is_mail_sent, is_mailbox_proven
from furrow.tenants.models import Invitation
from furrow.tenants.selectors import invitation_by_token, membership_for, memberships_of
from furrow.tenants.services import invitation_accept


@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Straight home with one business; a choice with several, none, or when asked for."""
    user = cast(User, request.user)
    memberships = memberships_of(user)
    if len(memberships) == 1 and "choose" not in request.GET:
        response: HttpResponse = redirect("dashboard:home", memberships[0].tenant.slug)
    else:
        response = render(request, "dashboard/choose.html", {"memberships": memberships})
    # The default language is no choice, so on a new device the browser's language stays.
    is_chosen = user.language != settings.LANGUAGE_CODE
    if is_chosen and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        return with_language(response, user.language)
    return response


@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Shows who invites; accepting is a POST, by the invited address only."""
    found = invitation_by_token(token)
    if found is None:
        raise NotFound("This invitation was used, withdrawn or has expired.")
    if request.user.is_authenticated:
        return _accept_as(request, request.user, found, token)
    if User.objects.filter(email__iexact=found.email).exists():
        context = {"invitation": found, "must_sign_in": True}
        return render(request, "dashboard/invitation.html", context)
    # Where no mail leaves the server nobody can prove a mailbox: then the link alone is enough.
    must_prove = settings.IS_PRODUCTION and is_mail_sent()
    if must_prove and not is_mailbox_proven(found, request.GET.get("proof", "")):
        return render(
            request, "dashboard/invitation.html", {"invitation": found, "needs_mail": True}
        )
    return _join(request, found, token)


def _accept_as(request: HttpRequest, user: User, found: Invitation, token: str) -> HttpResponse:
    if request.method == "POST":
        tenant = invitation_accept(token=token, user=user)
        messages.success(request, _("Welcome to %(business)s.") % {"business": tenant.name})
        return redirect("dashboard:home", tenant.slug)
    is_other = user.email.lower() != found.email.lower()
    return render(request, "dashboard/invitation.html", {"invitation": found, "is_other": is_other})


def _join(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    """Opens the account of somebody new: the mailed link proves the address."""
    form = JoinForm(request.POST or None, email=found.email)
    if request.method != "POST" or not form.is_valid():
        return render(request, "dashboard/invitation.html", {"invitation": found, "form": form})
    user = user_ensure(email=found.email, name=form.cleaned_data["name"], is_verified=True)
    user.name = form.cleaned_data["name"]
    user.set_password(form.cleaned_data["password"])
    user.save(update_fields=["name", "password"])
    tenant = invitation_accept(token=token, user=user)
    return cast(HttpResponse, perform_login(request, user, redirect_url=f"/t/{tenant.slug}/"))


@require_safe
def turn_events(request: HttpRequest, slug: str, turn_id: UUID) -> HttpResponseBase:
    """The live stream of an answer, outside the tenant middleware, whose transaction would otherwise stay open
    as long as the view runs; so membership is checked here.
    """
    user = request.user
    membership = membership_for(user, slug) if user.is_authenticated else None
    if membership is None or not membership.can("view"):
        raise NotFound("There is nothing here.")
    with tenant_tx(membership.tenant_id):
        turn = conversations.turn_get(turn_id)
    return streams.sse_response(request, membership.tenant_id, turn.id)
