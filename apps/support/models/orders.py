"""Orders and parcels as the platforms tell them, and what customers ask staff to do about them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.support.models.catalogue import FactRow, Sku
from furrow.conversations.models import Conversation
from furrow.core.models import TenantForeignKey, TenantModel


class Platform(models.TextChoices):
    TAOBAO = "taobao", _("Taobao / Tmall")
    PINDUODUO = "pinduoduo", _("Pinduoduo")
    DOUYIN = "douyin", _("Douyin")
    OTHER = "other", _("Another shop")


class Customer(TenantModel):
    """A buyer as a platform names them. Whole names, phone numbers and addresses are not kept."""

    platform = models.CharField(max_length=12, choices=Platform.choices, default=Platform.OTHER)
    account = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "platform", "account"], name="support_customer_once"
            ),
        ]

    def __str__(self) -> str:
        return self.account


class Order(FactRow):
    """`number` is folded and `digits` are its digits alone (see `facts.order_numbers`), so that it is found however
    it is typed. Of the receiver the province and the last four digits of the phone are kept: they are the identity check.
    """

    class Status(models.TextChoices):
        PLACED = "placed", _("Waiting for payment")
        PAID = "paid", _("Paid, to be packed")
        SHIPPED = "shipped", _("On its way")
        DELIVERED = "delivered", _("Delivered")
        COMPLETED = "completed", _("Completed")
        REFUNDING = "refunding", _("Refund asked for")
        REFUNDED = "refunded", _("Refunded")
        CANCELLED = "cancelled", _("Cancelled")

    platform = models.CharField(max_length=12, choices=Platform.choices, default=Platform.OTHER)
    number = models.CharField(max_length=64)
    digits = models.CharField(max_length=64)
    customer = TenantForeignKey(Customer, models.SET_NULL, null=True, related_name="orders")
    status = models.CharField(max_length=12, choices=Status.choices)
    phone_tail = models.CharField(max_length=4, blank=True)
    region = models.CharField(max_length=20, blank=True)
    ordered_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    shipped_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    paid_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    freight = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, default="CNY")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "platform", "number"], name="support_order_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "digits"], name="support_order_digits"),
            models.Index(fields=["tenant", "-ordered_at"], name="support_order_recent"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(TenantModel):
    order = TenantForeignKey(Order, models.CASCADE, related_name="lines")
    sku = TenantForeignKey(Sku, models.SET_NULL, null=True, related_name="+")
    position = models.PositiveSmallIntegerField(default=1)
    title = models.CharField(max_length=300, blank=True)
    sku_code = models.CharField(max_length=60, blank=True)
    quantity = models.PositiveIntegerField(default=1)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "order", "position"], name="support_order_line_once"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.sku_code


class Shipment(FactRow):
    order = TenantForeignKey(Order, models.CASCADE, related_name="shipments")
    carrier = models.CharField(max_length=60, blank=True)
    tracking_number = models.CharField(max_length=60)
    last_event = models.CharField(max_length=300, blank=True)
    last_event_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "order", "tracking_number"], name="support_parcel_once"
            ),
        ]

    def __str__(self) -> str:
        return self.tracking_number


class StaffRequest(TenantModel):
    """What a customer wants done with an order. A person does it or declines it; nothing happens by itself."""

    class Kind(models.TextChoices):
        URGE = "urge", _("Send it sooner")
        ADDRESS = "address", _("Change the address")
        CANCEL = "cancel", _("Cancel the order")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")
        DECLINED = "declined", _("Declined")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    order = TenantForeignKey(Order, models.CASCADE, related_name="requests")
    conversation = TenantForeignKey(Conversation, models.SET_NULL, null=True, related_name="+")
    wish = models.TextField(blank=True)
    note = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "order", "kind"],
                condition=models.Q(state="open"),
                name="support_request_one_open",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-created_at"], name="support_request_q")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id}"
