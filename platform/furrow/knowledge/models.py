"""Knowledge bases, documents and their versions, chunks, and the two indexes over the chunks."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField

from furrow.core.models import TenantForeignKey, TenantModel


class KnowledgeBase(TenantModel):
    """`embedding_model` is the model whose vectors serve now; while it differs from the configured one the
    new vectors are built in the background and the old ones keep serving.
    """

    name = models.CharField(max_length=120)
    language = models.CharField(max_length=10, default="zh-hans")
    description = models.CharField(max_length=400, blank=True)
    embedding_model = models.CharField(max_length=200, blank=True)
    has_vector_index = models.BooleanField(default=False)
    search_settings = models.JSONField(default=dict)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Document(TenantModel):
    """What the owner sees as one file or page. Its words live in versions; `live_version` is what is searched."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        PARSING = "parsing", _("Reading")
        CLEANING = "cleaning", _("Cleaning")
        EMBEDDING = "embedding", _("Indexing")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")

    knowledge_base = TenantForeignKey(KnowledgeBase, models.CASCADE, related_name="documents")
    title = models.CharField(max_length=300)
    external_id = models.CharField(max_length=200, blank=True)
    source_url = models.URLField(max_length=2000, blank=True)
    metadata = models.JSONField(default=dict)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    live_version = TenantForeignKey("DocumentVersion", models.SET_NULL, null=True, related_name="+")
    # What it is called without edition and ordinal, which works its text names (None: not looked yet), and
    # how many other works of the base name it: see `furrow.knowledge.relations`.
    family = models.CharField(max_length=120, blank=True)
    cites = ArrayField(models.CharField(max_length=120), null=True)
    cited_by = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    # Not a column: set on the answer of an upload that brought nothing new.
    is_unchanged = False

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "knowledge_base", "external_id"],
                condition=~Q(external_id="") & Q(deleted_at=None),
                name="document_external_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "knowledge_base", "-created_at"], name="document_recent"
            ),
            # Every search asks which documents are out of their dates; few have any.
            models.Index(
                fields=["tenant", "knowledge_base"],
                condition=Q(valid_from__isnull=False) | Q(valid_to__isnull=False),
                name="document_dated",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class DocumentVersion(TenantModel):
    """One upload. Building, then live (exactly one a document), then retired when a newer one takes over."""

    class State(models.TextChoices):
        BUILDING = "building"
        LIVE = "live"
        RETIRED = "retired"
        FAILED = "failed"

    document = TenantForeignKey(Document, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.BUILDING)
    file_key = models.CharField(max_length=200, blank=True)
    file_name = models.CharField(max_length=300, blank=True)
    content_type = models.CharField(max_length=120, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    text = models.TextField(blank=True)
    blocks = models.JSONField(default=list)
    pages = models.JSONField(default=list)
    page_count = models.PositiveIntegerField(default=0)
    language = models.CharField(max_length=10, blank=True)
    warnings = models.JSONField(default=list)
    chunk_count = models.PositiveIntegerField(default=0)
    stages = models.JSONField(default=dict)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "document", "number"], name="version_number_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "document"], condition=Q(state="live"), name="version_one_live"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class Chunk(TenantModel):
    """A passage: `text` is `version.text[start:end]`; `header` is what retrieval knows of its surroundings."""

    knowledge_base = TenantForeignKey(KnowledgeBase, models.CASCADE, related_name="+")
    document = TenantForeignKey(Document, models.CASCADE, related_name="+")
    version = TenantForeignKey(DocumentVersion, models.CASCADE, related_name="chunks")
    ordinal = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, default="text")
    heading_path = ArrayField(models.CharField(max_length=300), default=list)
    header = models.TextField(blank=True)
    text = models.TextField()
    flags = models.JSONField(default=list)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "version", "ordinal"], name="chunk_ordinal_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "document"], name="chunk_document")]

    def __str__(self) -> str:
        return f"chunk {self.ordinal}"


class PassageCorrection(TenantModel):
    """The owner's words in place of a passage. They stand in a document of their own, so that what is quoted is
    still found where it is cited; `original` is switched off wherever the source says it word for word.
    """

    document = TenantForeignKey(Document, models.CASCADE, related_name="corrections")
    replacement = TenantForeignKey(Document, models.CASCADE, related_name="corrects")
    original = models.TextField()
    page = models.PositiveIntegerField(null=True)
    # A later version of the source no longer says `original`: the owner has to look.
    is_source_changed = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"correction of {self.document_id}"


class ChunkVector(TenantModel):
    """A chunk's embedding by one model. Dimensions differ between models, so the column has none."""

    knowledge_base = TenantForeignKey(KnowledgeBase, models.CASCADE, related_name="+")
    chunk = TenantForeignKey(Chunk, models.CASCADE, related_name="vectors")
    model = models.CharField(max_length=200)
    embedding = HalfVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "chunk", "model"], name="vector_once"),
        ]
        indexes = [
            models.Index(fields=["tenant", "knowledge_base", "model"], name="vector_scan"),
        ]

    def __str__(self) -> str:
        return f"vector of {self.chunk_id}"


class KnownQuestion(TenantModel):
    """A question and a passage known to answer it. When the document is replaced, the passage is found again by
    its words (`sha256`); while it is gone, its document and section still count.
    """

    class Source(models.TextChoices):
        OWNER = "owner", _("Written by a member")
        ANSWER = "answer", _("Taken from a chat")
        GOLDEN = "golden", _("Golden question")

    knowledge_base = TenantForeignKey(KnowledgeBase, models.CASCADE, related_name="+")
    document = TenantForeignKey(Document, models.CASCADE, related_name="known_questions")
    chunk = TenantForeignKey(Chunk, models.SET_NULL, null=True, related_name="known_questions")
    text = models.CharField(max_length=500)
    section = models.CharField(max_length=1000, blank=True)
    sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.OWNER)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "document", "sha256", "text"], name="known_question_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "knowledge_base", "-created_at"], name="known_of_base"),
        ]

    def __str__(self) -> str:
        return self.text


class SynonymGroup(TenantModel):
    """Words that mean the same to this business, in all its knowledge bases."""

    words = ArrayField(models.CharField(max_length=60))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-created_at"], name="synonym_recent")]

    def __str__(self) -> str:
        return " = ".join(self.words)


class Finding(TenantModel):
    """Something in a live version that is in doubt: `kind` and `score` from `furrow.knowledge.cleaning`. What is
    shown is kept beside the offsets, so that the list costs no reading of texts. `sha256` is of the kind and
    the folded words; by it a choice is remembered.
    """

    class State(models.TextChoices):
        OPEN = "open", _("To decide")
        KEPT = "kept", _("Kept")
        REMOVED = "removed", _("Left out")

    knowledge_base = TenantForeignKey(KnowledgeBase, models.CASCADE, related_name="+")
    document = TenantForeignKey(Document, models.CASCADE, related_name="findings")
    version = TenantForeignKey(DocumentVersion, models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=30)
    reason = models.JSONField(default=dict)
    score = models.FloatField(default=1.0)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True)
    excerpt = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "version", "kind", "start", "end"], name="finding_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "knowledge_base", "state"], name="finding_of_base"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.start}-{self.end}"

    @property
    def pieces(self) -> list[str]:
        """The words of the excerpt that tell."""
        told = self.reason.get("said") or self.reason.get("detail", "")
        return [piece for piece in told.split("; ") if piece in self.excerpt]


class FindingChoice(TenantModel):
    """What the owner chose for words of one kind; the next upload that brings them again follows it."""

    knowledge_base = TenantForeignKey(KnowledgeBase, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=30)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=Finding.State.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "knowledge_base", "kind", "sha256"], name="finding_choice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.state}"


class LexicalSegment(TenantModel):
    """An immutable piece of a knowledge base's BM25 index: n chunks in order, and which of them are dead.

    `chunk_ids` is n*16 bytes of UUIDs, `lengths` n little-endian uint32, `dead` n bits (least significant
    first) rounded up to bytes.
    """

    knowledge_base = TenantForeignKey(KnowledgeBase, models.CASCADE, related_name="+")
    chunk_count = models.PositiveIntegerField()
    dead_count = models.PositiveIntegerField(default=0)
    total_length = models.BigIntegerField()
    chunk_ids = models.BinaryField()
    lengths = models.BinaryField()
    dead = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "knowledge_base"], name="segment_base")]

    def __str__(self) -> str:
        return f"segment of {self.chunk_count}"


class LexicalPosting(models.Model):
    """The chunks of one segment that hold `term`, packed by `furrow.knowledge.lexical.packing`.

    Not a `TenantModel`: millions of rows, so no random id; the key is what it is looked up by. It is under
    row-level security all the same.
    """

    pk = models.CompositePrimaryKey("tenant_id", "knowledge_base_id", "term", "segment_id")
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="+", db_index=False)
    knowledge_base_id = models.UUIDField()
    segment_id = models.UUIDField()
    term = models.CharField(max_length=80, db_collation="C")
    df = models.PositiveIntegerField()
    postings = models.BinaryField()

    is_tenant_table = True

    class Meta:
        indexes = [models.Index(fields=["tenant", "segment_id"], name="posting_segment")]

    def __str__(self) -> str:
        return f"postings of one term, df {self.df}"
