"""Reads and access doors of tenants. Look-ups that find the tenant itself run unscoped and are listed here."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from furrow.accounts.models import User
from furrow.accounts.services import hash_token
from furrow.core.context import TENANT_SETTING, unscoped
from furrow.core.errors import NotFound
from furrow.tenants.models import ApiKey, AuditEntry, Invitation, Membership, Tenant


def membership_for(user: User, slug: str) -> Membership | None:
    """The user's membership of the tenant with this slug, None also when the tenant is suspended."""
    with unscoped("find the tenant of a page by slug and user"):
        return (
            Membership.objects.filter(
                user=user, user__is_active=True, tenant__slug=slug, tenant__is_suspended=False
            )
            .select_related("tenant", "user")
            .first()
        )


def memberships_of(user: User) -> list[Membership]:
    with unscoped("list the tenants of a user"):
        return list(
            Membership.objects.filter(user=user, tenant__is_suspended=False)
            .select_related("tenant")
            .order_by("tenant__name")
        )


def api_key_by_secret(secret: str) -> ApiKey | None:
    """The live key with this secret, None for unknown, revoked, expired or a suspended tenant's."""
    with unscoped("find the tenant of an API key"):
        key = (
            ApiKey.objects.filter(
                secret_hash=hash_token(secret), revoked_at=None, tenant__is_suspended=False
            )
            .select_related("tenant")
            .first()
        )
    return key if key is not None and key.is_live else None


# The tenant is set for this one message only, which the server runs as one transaction.
_KEY_LIVE = """
SELECT set_config(%(setting)s, %(tenant)s, true);
SELECT k.scopes FROM tenants_apikey k JOIN tenants_tenant t ON t.id = k.tenant_id
 WHERE k.tenant_id = %(tenant)s AND k.id = %(key)s AND k.revoked_at IS NULL AND NOT t.is_suspended
   AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())
"""


def api_key_scopes(*, tenant_id: UUID, key_id: UUID) -> list[str] | None:
    """What a known key may do at this moment, None once it is revoked, expired or its tenant suspended. One
    message to the database, outside a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _KEY_LIVE, {"setting": TENANT_SETTING, "tenant": str(tenant_id), "key": key_id}
        )
        cursor.nextset()
        row = cursor.fetchone()
    return None if row is None else list(row[0])


def invitation_by_token(token: str) -> Invitation | None:
    with unscoped("find the tenant of an invitation"):
        invitation = (
            Invitation.objects.filter(token_hash=hash_token(token)).select_related("tenant").first()
        )
    return invitation if invitation is not None and invitation.is_open else None


def members_list() -> QuerySet[Any]:
    return Membership.objects.select_related("user").order_by("created_at")


def member_get(membership_id: UUID) -> Membership:
    membership = Membership.objects.filter(id=membership_id).select_related("user").first()
    if membership is None:
        raise NotFound("This member does not exist.")
    return membership  # type: ignore[no-any-return]


def invitations_open() -> QuerySet[Any]:
    return Invitation.objects.filter(
        accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    ).order_by("-created_at")


def api_keys_list() -> QuerySet[Any]:
    return ApiKey.objects.order_by("revoked_at", "-created_at")


def audit_recent(limit: int = 100) -> list[AuditEntry]:
    return list(AuditEntry.objects.order_by("-created_at")[:limit])


def tenant_by_slug(slug: str) -> Tenant | None:
    with unscoped("find a tenant by slug for the operator"):
        return Tenant.objects.filter(slug=slug).first()
