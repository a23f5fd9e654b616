"""Claims, their photos, and the rules that compute what is offered."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.support.models.catalogue import Sku
from apps.support.models.orders import Order
from furrow.conversations.models import Conversation
from furrow.core.models import TenantForeignKey, TenantModel


class Reason(models.TextChoices):
    SPOILED = "spoiled", _("Spoiled or broken")
    SHORT_WEIGHT = "short_weight", _("Too light")
    MISSING = "missing", _("Pieces missing")
    WRONG_ITEM = "wrong_item", _("Wrong goods")
    NOT_RIPENING = "not_ripening", _("Does not ripen")
    NOT_SWEET = "not_sweet", _("Not sweet enough")
    LATE = "late", _("Came too late")
    LOST = "lost", _("Parcel lost")
    REFUSED = "refused", _("Refused at the door")
    TASTE = "taste", _("Taste or looks")


class ClaimRule(TenantModel):
    """One rule of the house. The words of `claiming.rules` say what each field means; a rule is never edited once a
    claim was computed with it, a new version replaces it, and every claim keeps the rule it was computed with.
    """

    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    categories = models.JSONField(default=list, blank=True)
    terms = models.JSONField(default=dict)
    position = models.PositiveSmallIntegerField(default=100)
    version = models.PositiveSmallIntegerField(default=1)
    is_enabled = models.BooleanField(default=True)
    as_of = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "reason"], name="support_claim_rule")]

    def __str__(self) -> str:
        return self.name_zh


class Claim(TenantModel):
    """`outcome` is the engine's whole reckoning: offer, steps and findings. The offer is never typed in."""

    class State(models.TextChoices):
        EVIDENCE = "evidence", _("Evidence missing")
        REVIEW = "review", _("To be decided")
        APPROVED = "approved", _("Approved")
        DENIED = "denied", _("Denied")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.EVIDENCE)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    order = TenantForeignKey(Order, models.SET_NULL, null=True, related_name="claims")
    sku = TenantForeignKey(Sku, models.SET_NULL, null=True, related_name="+")
    conversation = TenantForeignKey(Conversation, models.SET_NULL, null=True, related_name="+")
    rule = TenantForeignKey(ClaimRule, models.SET_NULL, null=True, related_name="claims")
    rule_terms = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    outcome = models.JSONField(default=dict)
    offer = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, default="CNY")
    language = models.CharField(max_length=2, default="zh")
    reported_at = models.DateTimeField()
    letter = models.TextField(blank=True)
    decision_note = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    # Of an offer that two people must agree to: the first. Gone as soon as the offer is another one.
    first_yes_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    first_yes_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="support_claim_number_once"),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-created_at"], name="support_claim_q"),
            models.Index(fields=["tenant", "conversation"], name="support_claim_chat"),
        ]

    def __str__(self) -> str:
        return f"claim {self.number}"

    @property
    def is_open(self) -> bool:
        return self.state in {self.State.EVIDENCE, self.State.REVIEW}


class ClaimPhoto(TenantModel):
    """`sha256` finds the same file again, `dhash` the same picture after resizing or re-saving."""

    class Kind(models.TextChoices):
        LABEL = "label", _("Shipping label")
        BOX = "box", _("The whole open box")
        GOODS = "goods", _("All bad fruit together")
        CUT = "cut", _("Cut open")
        ICE = "ice", _("Ice packs")
        SCALE = "scale", _("On the scale")
        OTHER = "other", _("Something else")

    claim = TenantForeignKey(Claim, models.CASCADE, related_name="photos")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    file_key = models.CharField(max_length=200)
    content_type = models.CharField(max_length=20)
    size_bytes = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    dhash = models.CharField(max_length=16)
    taken_at = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)
    # Which photo of the chat this is a copy of. No foreign key: a chat may be deleted, its claim stays.
    chat_photo_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "claim", "chat_photo_id"], name="support_photo_copied_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "sha256"], name="support_photo_same")]

    def __str__(self) -> str:
        return f"{self.kind} photo"
