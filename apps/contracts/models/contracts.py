"""A contract, its versions with their words, and what follows from its dates."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from furrow.core.models import TenantForeignKey, TenantModel


class Kind(models.TextChoices):
    """What a contract is about; also the kinds that `checks.facts.kind_of` tells apart."""

    SALE = "sale", _("Sale of goods")
    LEASE = "lease", _("Lease")
    LABOUR = "labour", _("Labour")
    SERVICE = "service", _("Service")
    LOAN = "loan", _("Loan")
    NDA = "nda", _("Confidentiality")
    AGENCY = "agency", _("Agency")
    SOFTWARE = "software", _("Software")


class Side(models.TextChoices):
    """Whose interests a review looks after. The first side is the one that supplies: seller, lessor, employer."""

    NEUTRAL = "neutral", _("Neutral")
    FIRST = "first", _("First side")
    SECOND = "second", _("Second side")


class Level(models.TextChoices):
    HIGH = "high", _("High")
    MEDIUM = "medium", _("Medium")
    LOW = "low", _("Low")


class Contract(TenantModel):
    """`risk` and `open_count` are of the newest finished review; they are written with each decision."""

    title = models.CharField(max_length=300)
    kind = models.CharField(max_length=10, choices=Kind.choices, blank=True)
    side = models.CharField(max_length=8, choices=Side.choices, default=Side.NEUTRAL)
    risk = models.CharField(max_length=6, choices=Level.choices, blank=True)
    open_count = models.PositiveIntegerField(default=0)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="contracts_contract_recent"),
        ]

    def __str__(self) -> str:
        return self.title


class ContractVersion(TenantModel):
    """A file as it was handed in. `text` and `layout` (blocks, pages) are what was read of it, and never change
    afterwards: every place of a finding is a place in them.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        READY = "ready", _("Read")
        FAILED = "failed", _("Failed")

    contract = TenantForeignKey(Contract, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    error_code = models.CharField(max_length=60, blank=True)
    file_key = models.CharField(max_length=200)
    file_name = models.CharField(max_length=300)
    content_type = models.CharField(max_length=120, blank=True)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    text = models.TextField(blank=True)
    layout = models.JSONField(default=dict)
    parties = models.JSONField(default=list)
    # What `reading.headlines` tells: name, days and law.
    facts = models.JSONField(default=dict)
    page_count = models.PositiveIntegerField(default=0)
    language = models.CharField(max_length=10, blank=True)
    warnings = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "contract", "number"], name="contracts_version_number_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.number})"

    @property
    def is_word(self) -> bool:
        return self.file_name.lower().endswith(".docx")


class ClauseSpan(TenantModel):
    """A stretch of a version that is a clause of some type, and which part of the program says so."""

    version = TenantForeignKey(ContractVersion, models.CASCADE, related_name="clauses")
    kind = models.CharField(max_length=60)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    source = models.CharField(max_length=12)
    score = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "version", "kind", "start", "end"], name="contracts_clause_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.start}-{self.end}"


class Obligation(TenantModel):
    """Something with a day. `quote` is the text between `start` and `end`; the day may be reckoned from it."""

    class What(models.TextChoices):
        BEGINNING = "beginning", _("Begins")
        ENDING = "ending", _("Ends")
        NOTICE = "notice", _("Last day for notice")
        PAYMENT = "payment", _("Payment")
        DELIVERY = "delivery", _("Delivery")
        SIGNING = "signing", _("Signed")
        OTHER = "other", _("Date")

    version = TenantForeignKey(ContractVersion, models.CASCADE, related_name="obligations")
    what = models.CharField(max_length=10, choices=What.choices)
    due_on = models.DateField()
    who = models.CharField(max_length=60, blank=True)
    reckoned = models.CharField(max_length=200, blank=True)
    quote = models.TextField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True)
    remind_days = models.PositiveSmallIntegerField(default=7)
    is_done = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "version", "what", "due_on", "start"],
                name="contracts_obligation_once",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "due_on"], name="contracts_obligation_due")]

    def __str__(self) -> str:
        return f"{self.what} {self.due_on}"
