"""Members, invitations and API keys."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.core.errors import Refused
from furrow.dashboard.doors import actor_of, form_page, go_to, needs, page_url, refusals_in, say
from furrow.dashboard.forms.business import ApiKeyForm, InvitationForm, RoleForm
from furrow.dashboard.mail import invitation_mail, is_mail_sent
from furrow.tenants import selectors, services
from furrow.tenants.models import Membership, Role
from furrow.tenants.web import TenantRequest


@needs(get="manage_members")
def members(request: TenantRequest) -> TemplateResponse:
    context = {
        "members": selectors.members_list(),
        "invitations": selectors.invitations_open(),
        "roles": Role.choices,
    }
    return TemplateResponse(request, "dashboard/members.html", context)


@needs(get="manage_members", post="manage_members")
def invite(request: TenantRequest) -> HttpResponse:
    """The link is shown once and mailed; it works for the invited address only."""
    is_owner = request.membership.can("manage_tenant")
    form = InvitationForm(request.POST or None, can_make_owner=is_owner)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            made, token = services.invitation_create(
                actor=actor_of(request), invited_by=request.user, **form.cleaned_data
            )
            link = settings.PUBLIC_URL + reverse("invitation", args=[token])
            invitation_mail(made, link=link, business=request.tenant, inviter=request.user)
            context = {"invitation": made, "link": link, "is_mailed": is_mail_sent()}
            return TemplateResponse(request, "dashboard/invited.html", context)
    back = page_url(request, "members")
    return form_page(request, form, title=_("Invite somebody"), submit=_("Invite"), back=back)


@needs(post="manage_members")
def invitation_revoke(request: TenantRequest, invitation_id: UUID) -> HttpResponse:
    services.invitation_revoke(actor=actor_of(request), invitation_id=invitation_id)
    say(request, _("The invitation is withdrawn; its link no longer works."))
    return go_to(request, "members")


@needs(post="manage_members")
def member_update(request: TenantRequest, membership_id: UUID) -> HttpResponse:
    member = selectors.member_get(membership_id)
    form = RoleForm(request.POST)
    role = form.cleaned_data["role"] if form.is_valid() else ""
    _only_owner_touches_owners(request, member, role)
    services.member_role_set(actor=actor_of(request), membership=member, role=role)
    say(request, _("The role is changed."))
    return go_to(request, "members")


@needs(post="manage_members")
def member_remove(request: TenantRequest, membership_id: UUID) -> HttpResponse:
    member = selectors.member_get(membership_id)
    _only_owner_touches_owners(request, member)
    services.member_remove(actor=actor_of(request), membership=member)
    say(request, _("%(person)s is no longer a member.") % {"person": member.user.email})
    return go_to(request, "members")


def _only_owner_touches_owners(
    request: TenantRequest, member: Membership, new_role: str = ""
) -> None:
    if Role.OWNER in {member.role, new_role} and not request.membership.can("manage_tenant"):
        raise Refused("Only an owner can do this to an owner.")


@needs(get="manage_keys")
def keys(request: TenantRequest) -> TemplateResponse:
    context = {"keys": selectors.api_keys_list()}
    return TemplateResponse(request, "dashboard/keys.html", context)


@needs(get="manage_keys", post="manage_keys")
def key_create(request: TenantRequest) -> HttpResponse:
    """The secret is in the answer to this POST and nowhere else."""
    form = ApiKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data, days = form.cleaned_data, form.cleaned_data["days"]
        with refusals_in(form):
            key, secret = services.api_key_create(
                actor=actor_of(request),
                name=data["name"],
                scopes=data["scopes"],
                created_by=request.user,
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
            context = {"key": key, "secret": secret, "public_url": settings.PUBLIC_URL}
            response = TemplateResponse(request, "dashboard/key_created.html", context)
            response["Cache-Control"] = "no-store"
            return response
    back = page_url(request, "keys")
    return form_page(request, form, title=_("New API key"), submit=_("Create"), back=back)


@needs(post="manage_keys")
def key_revoke(request: TenantRequest, key_id: UUID) -> HttpResponse:
    services.api_key_revoke(actor=actor_of(request), key_id=key_id)
    say(request, _("The key is revoked. The next request with it is refused."))
    return go_to(request, "keys")
