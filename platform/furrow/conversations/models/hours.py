"""Sums of the hours, from which figures are read; `furrow.conversations.hours` makes them."""

from django.db import models

from furrow.core.models import TenantModel


class HourDue(TenantModel):
    """An hour whose figures must be made again. Triggers add it with every change that can move one, also a late
    one: an opinion counts in the hour of its question and in the hour its conversation began.
    """

    tenant = models.ForeignKey(
        "tenants.Tenant", models.CASCADE, related_name="+", editable=False, db_index=False
    )
    hour = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "hour"], name="hour_due")]

    def __str__(self) -> str:
        return str(self.hour)


class TurnHour(TenantModel):
    """The questions of an hour by the rung that answered. Test chats count in `written` only, because they cost
    too.
    """

    tenant = models.ForeignKey(
        "tenants.Tenant", models.CASCADE, related_name="+", editable=False, db_index=False
    )
    hour = models.DateTimeField()
    rung = models.CharField(max_length=40, blank=True)
    questions = models.BigIntegerField()
    answered = models.BigIntegerField()
    solved = models.BigIntegerField()
    written = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour", "rung"], name="turn_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hour} {self.rung}"


class ConversationHour(TenantModel):
    """The conversations that began in an hour, without test chats."""

    tenant = models.ForeignKey(
        "tenants.Tenant", models.CASCADE, related_name="+", editable=False, db_index=False
    )
    hour = models.DateTimeField()
    begun = models.BigIntegerField()
    resolved = models.BigIntegerField()
    confirmed = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour"], name="conversation_hour_once"),
        ]

    def __str__(self) -> str:
        return str(self.hour)
