"""Base of every tenant table, the foreign key between them, and the job row."""

import uuid
from typing import Any, Self

from django.db import models

from furrow.core.context import current_tenant_id, is_unscoped


class TenantQuerySet(models.QuerySet[Any]):
    """A queryset already narrowed to the current tenant; row-level security stands behind it."""


class TenantManager(models.Manager[Any]):
    """Narrows to the current tenant and raises `TenantNotSet` when there is none."""

    def get_queryset(self) -> TenantQuerySet:
        queryset = TenantQuerySet(self.model, using=self._db)
        return queryset if is_unscoped() else queryset.filter(tenant_id=current_tenant_id())


class TenantForeignKey(models.ForeignKey[Any, Any]):
    """A reference inside one tenant. The database constraint is composite, (tenant_id, id), and is made by
    `furrow.core.security`, so a row can never point at another tenant's row.
    """

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_constraint", None)
        return name, path, args, kwargs


class TenantModel(models.Model):
    """A row of one tenant. `id` is random, so it reveals nothing and may be shown."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.tenant_id is None:
            self.tenant_id = current_tenant_id()
        super().save(*args, **kwargs)


class Job(TenantModel):
    """A piece of background work. This row is the truth; the broker only rings the bell. `started_at` is when it
    was claimed last.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=60)
    lane = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    run_after = models.DateTimeField()
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "subject_id"],
                condition=models.Q(state__in=["queued", "running"]),
                name="job_one_active_per_subject",
            ),
        ]
        indexes = [
            models.Index(
                fields=["lane", "run_after"],
                condition=models.Q(state="queued"),
                name="job_queued",
            ),
            models.Index(
                fields=["lease_until"], condition=models.Q(state="running"), name="job_running"
            ),
            models.Index(fields=["tenant", "subject_id"], name="job_subject"),
            models.Index(fields=["tenant", "lane", "started_at"], name="job_served"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} ({self.state})"

    @property
    def is_active(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @classmethod
    def active(cls) -> models.QuerySet[Self]:
        return cls.objects.filter(state__in=[cls.State.QUEUED, cls.State.RUNNING])
