"""Tenants and who may do what in them."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from furrow.core.models import TenantModel


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Administrator")
    STAFF = "staff", _("Staff")
    VIEWER = "viewer", _("Viewer")


# What each role may do; a permission missing here is refused.
PERMISSIONS: dict[str, frozenset[str]] = {
    "view": frozenset({"owner", "admin", "staff", "viewer"}),
    "answer": frozenset({"owner", "admin", "staff"}),
    "edit": frozenset({"owner", "admin"}),
    "manage_members": frozenset({"owner", "admin"}),
    "manage_keys": frozenset({"owner", "admin"}),
    "manage_tenant": frozenset({"owner"}),
    "view_costs": frozenset({"owner", "admin"}),
    "manage_costs": frozenset({"owner", "admin"}),
}


class Tenant(models.Model):
    """A business. Its row is under row-level security too: one tenant cannot list the others."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    language = models.CharField(max_length=10, default="zh-hans")
    reseller = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="sub_tenants"
    )
    is_suspended = models.BooleanField(default=False)
    # Trades whose pages its navigation leaves out; by address and API they stay reachable.
    hidden_trades = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Membership(TenantModel):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),
        ]
        indexes = [models.Index(fields=["user"], name="membership_user")]

    def __str__(self) -> str:
        return f"{self.user_id} as {self.role}"

    def can(self, permission: str) -> bool:
        return self.role in PERMISSIONS[permission]


class Invitation(TenantModel):
    """An open door for one e-mail address. Only the hash of its token is stored."""

    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"invitation as {self.role}"

    @property
    def is_open(self) -> bool:
        return not self.accepted_at and not self.revoked_at and self.expires_at > timezone.now()


SCOPES = (
    "knowledge:read",
    "knowledge:write",
    "assistants:read",
    "assistants:write",
    "conversations:read",
    "conversations:write",
    "models:use",
    "usage:read",
    "usage:write",
    "webhooks:read",
    "webhooks:write",
)


class ApiKey(TenantModel):
    """A credential of a program: 256 random bits, stored hashed; `prefix` tells keys apart on screen."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16)
    secret_hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_live(self) -> bool:
        return not self.revoked_at and (self.expires_at is None or self.expires_at > timezone.now())


class AuditEntry(TenantModel):
    """Who did what to which object. Rows are only ever added; they hold ids, never contents."""

    append_only = True

    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=160, blank=True)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-created_at"], name="audit_recent")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type}"


class IdempotencyRecord(TenantModel):
    """The first answer to a keyed POST, replayed to every repetition."""

    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "caller", "key"], name="idempotency_once"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class OpeningHours(TenantModel):
    """When people answer. `weekly` has seven entries from Monday, each `["08:00", "18:00"]` or null for a day off;
    the end may be 24:00. No row means that the business has not said.
    """

    zone = models.CharField(max_length=40, default="Asia/Shanghai")
    weekly = models.JSONField(default=list)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="opening_hours_once"),
        ]

    def __str__(self) -> str:
        return f"opening hours ({self.zone})"


class HoursSeason(TenantModel):
    """A stretch of days with hours of its own: harvest, or a pause. An empty `opens_at` means closed all day."""

    name = models.CharField(max_length=60)
    starts_on = models.DateField()
    ends_on = models.DateField()
    is_yearly = models.BooleanField(default=False)
    opens_at = models.CharField(max_length=5, blank=True)
    closes_at = models.CharField(max_length=5, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="hours_season_order"
            ),
        ]

    def __str__(self) -> str:
        return self.name
