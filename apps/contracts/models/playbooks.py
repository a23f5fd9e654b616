"""House rules, as versions that never change once a review was run with them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.contracts.models.contracts import Kind, Level, Side
from furrow.core.models import TenantForeignKey, TenantModel


class RuleKind(models.TextChoices):
    MUST_HAVE = "must_have", _("Must be there")
    MUST_NOT = "must_not", _("Must not be there")
    THRESHOLD = "threshold", _("A limit")
    NUMERIC = "numeric", _("A number within a range")
    TEMPLATE = "template", _("Our own wording")


class Playbook(TenantModel):
    """`starter` is the key of the library's playbook that this one began as; empty for the house's own."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices, blank=True)
    starter = models.CharField(max_length=40, blank=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "starter"],
                condition=~models.Q(starter=""),
                name="contracts_starter_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlaybookVersion(TenantModel):
    playbook = TenantForeignKey(Playbook, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    note = models.CharField(max_length=200, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "playbook", "number"], name="contracts_playbook_number_once"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class Rule(TenantModel):
    """`key` names the rule across versions, so that decisions outlive an edit. What `terms` holds depends on
    `check_kind`: see `playbook.rules`. `fallback` goes into the contract, `note` is for people only.
    """

    version = TenantForeignKey(PlaybookVersion, models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=60)
    check_kind = models.CharField(max_length=10, choices=RuleKind.choices)
    side = models.CharField(max_length=8, choices=Side.choices, default=Side.NEUTRAL)
    level = models.CharField(max_length=6, choices=Level.choices, default=Level.MEDIUM)
    name = models.JSONField(default=dict)
    note = models.JSONField(default=dict)
    fallback = models.JSONField(default=dict)
    terms = models.JSONField(default=dict)
    statutes = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "version", "key"], name="contracts_rule_key_once"
            ),
        ]

    def __str__(self) -> str:
        return self.key
