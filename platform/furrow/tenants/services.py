"""Writes on tenants, members, invitations and API keys. All but `tenant_create` run inside `tenant_tx`."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from furrow.accounts.models import User
from furrow.accounts.services import hash_token
from furrow.core.context import tenant_tx, unscoped
from furrow.core.errors import Conflict, Invalid, NotFound, Refused
from furrow.core.extensions import extensions
from furrow.tenants.models import SCOPES, ApiKey, AuditEntry, Invitation, Membership, Role, Tenant
from furrow.tenants.selectors import invitation_by_token

INVITATION_LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class Actor:
    """Who acts, for the audit log: a signed-in user, an API key, or the system itself."""

    kind: str
    id: str = ""
    label: str = ""

    @classmethod
    def user(cls, user: User) -> "Actor":
        return cls("user", str(user.id), user.email)

    @classmethod
    def api_key(cls, key: ApiKey) -> "Actor":
        return cls("api_key", str(key.id), key.name)


SYSTEM = Actor("system")


def audit(
    actor: Actor, action: str, *, object_type: str = "", object_id: Any = "", **data: Any
) -> None:
    """Adds a line to the audit log. `data` holds ids and settings, never contents."""
    AuditEntry.objects.create(
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        data=data,
    )


def tenant_create(
    *, name: str, owner: User | None = None, slug: str = "", language: str = "zh-hans"
) -> Tenant:
    """A new tenant, with `owner` as its first member."""
    if not name.strip():
        raise Invalid("The business needs a name.", field="name")
    base = slug or slugify(name) or "shop"
    with unscoped("create a tenant"):
        chosen = base
        while Tenant.objects.filter(slug=chosen).exists():
            chosen = f"{base}-{secrets.token_hex(2)}"
        tenant = Tenant.objects.create(name=name.strip(), slug=chosen, language=language)
    with tenant_tx(tenant.id):
        if owner is not None:
            Membership.objects.create(user=owner, role=Role.OWNER)
        audit(SYSTEM, "tenant.created", object_type="tenant", object_id=tenant.id)
    return tenant


def tenant_update(*, actor: Actor, tenant: Tenant, name: str, language: str) -> Tenant:
    if not name.strip():
        raise Invalid("The business needs a name.", field="name")
    tenant.name, tenant.language = name.strip(), language
    tenant.save(update_fields=["name", "language"])
    audit(actor, "tenant.updated", object_type="tenant", object_id=tenant.id)
    return tenant


def trades_show(*, actor: Actor, tenant: Tenant, shown: Collection[str]) -> None:
    """Keys of `extensions.trades`; the pages of the others leave the navigation."""
    hidden = [key for key in extensions.trades if key not in shown]
    if hidden == tenant.hidden_trades:
        return
    tenant.hidden_trades = hidden
    tenant.save(update_fields=["hidden_trades"])
    audit(actor, "tenant.updated", object_type="tenant", object_id=tenant.id)


def invitation_create(
    *, actor: Actor, email: str, role: str, invited_by: User
) -> tuple[Invitation, str]:
    """An invitation and its token; the token is shown and mailed, only its hash is stored."""
    if role not in Role.values:
        raise Invalid("This role does not exist.", field="role")
    email = email.strip().lower()
    if Membership.objects.filter(user__email__iexact=email).exists():
        raise Conflict("This person is already a member.")
    token = secrets.token_urlsafe(32)
    Invitation.objects.filter(email=email, accepted_at=None, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    invitation = Invitation.objects.create(
        email=email,
        role=role,
        token_hash=hash_token(token),
        invited_by=invited_by,
        expires_at=timezone.now() + INVITATION_LIFETIME,
    )
    audit(actor, "invitation.created", object_type="invitation", object_id=invitation.id, role=role)
    return invitation, token


def invitation_accept(*, token: str, user: User) -> Tenant:
    """Makes `user` a member. The signed-in address must be the invited one."""
    invitation = invitation_by_token(token)
    if invitation is None:
        raise NotFound("This invitation was used, withdrawn or has expired.")
    if invitation.email.lower() != user.email.lower():
        raise Refused("This invitation was sent to another e-mail address.")
    with tenant_tx(invitation.tenant_id):
        spent = Invitation.objects.filter(
            id=invitation.id, accepted_at=None, revoked_at=None
        ).update(accepted_at=timezone.now())
        if not spent:
            raise NotFound("This invitation was used, withdrawn or has expired.")
        Membership.objects.get_or_create(user=user, defaults={"role": invitation.role})
        audit(
            Actor.user(user),
            "invitation.accepted",
            object_type="invitation",
            object_id=invitation.id,
        )
    return invitation.tenant


def invitation_revoke(*, actor: Actor, invitation_id: UUID) -> None:
    changed = Invitation.objects.filter(id=invitation_id, accepted_at=None, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    if not changed:
        raise NotFound("This invitation does not exist.")
    audit(actor, "invitation.revoked", object_type="invitation", object_id=invitation_id)


def _owner_count_locked() -> int:
    owners = Membership.objects.select_for_update().filter(role=Role.OWNER)
    return len(owners)


@transaction.atomic
def member_role_set(*, actor: Actor, membership: Membership, role: str) -> None:
    """Changes a role. A tenant always keeps an owner."""
    if role not in Role.values:
        raise Invalid("This role does not exist.", field="role")
    if membership.role == Role.OWNER and role != Role.OWNER and _owner_count_locked() == 1:
        raise Conflict("The last owner cannot step down. Make someone else owner first.")
    membership.role = role
    membership.save(update_fields=["role"])
    audit(actor, "member.role_set", object_type="membership", object_id=membership.id, role=role)


@transaction.atomic
def member_remove(*, actor: Actor, membership: Membership) -> None:
    if membership.role == Role.OWNER and _owner_count_locked() == 1:
        raise Conflict("The last owner cannot be removed. Make someone else owner first.")
    audit(actor, "member.removed", object_type="membership", object_id=membership.id)
    membership.delete()


def api_key_create(
    *,
    actor: Actor,
    name: str,
    scopes: list[str],
    created_by: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A key and its secret `fr_key_…`, which is shown once and stored hashed."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise Invalid("Choose what the key may do.", field="scopes", unknown=unknown)
    secret = f"fr_key_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name.strip() or "API key",
        prefix=secret[:12],
        secret_hash=hash_token(secret),
        scopes=sorted(set(scopes)),
        created_by=created_by,
        expires_at=expires_at,
    )
    audit(actor, "api_key.created", object_type="api_key", object_id=key.id, scopes=key.scopes)
    return key, secret


def api_key_revoke(*, actor: Actor, key_id: UUID) -> None:
    """Effective with the next request: keys are looked up each time, never cached."""
    changed = ApiKey.objects.filter(id=key_id, revoked_at=None).update(revoked_at=timezone.now())
    if not changed:
        raise NotFound("This key does not exist or is already revoked.")
    audit(actor, "api_key.revoked", object_type="api_key", object_id=key_id)
