"""Reads of the home page: how far the start has come, and the figures of the last weeks."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from furrow.assistants.config import AssistantConfig
from furrow.assistants.models import Assistant, Gap
from furrow.conversations.models import Conversation, Ticket, Turn
from furrow.gateway.chat import model_in_vain
from furrow.knowledge.models import Document, KnowledgeBase
from furrow.knowledge.selectors import documents_expiring, findings_open, knowledge_bases_list
from furrow.tenants.models import AuditEntry

FIGURES_PERIOD = timedelta(days=30)
_EXPIRING_COUNTED = 100


@dataclass(frozen=True)
class StartState:
    """The three steps: something to answer from, a first try, visitors may ask."""

    has_document: bool
    has_tried: bool
    is_published: bool

    @property
    def done(self) -> int:
        return self.has_document + self.has_tried + self.is_published


@dataclass(frozen=True)
class Figures:
    """Of the last 30 days, without test chats. `answered_share` is None before the first question."""

    questions: int
    answered_share: float | None
    open_tickets: int
    open_gaps: int


def start_state() -> StartState:
    assistants = Assistant.objects.filter(deleted_at=None)
    return StartState(
        has_document=Document.objects.filter(
            deleted_at=None, knowledge_base__deleted_at__isnull=True, status=Document.Status.READY
        ).exists(),
        has_tried=Conversation.objects.exists(),
        is_published=assistants.exclude(published=None).exists(),
    )


def figures() -> Figures:
    """An answer by the `human` rung counts as not answered."""
    since = timezone.now() - FIGURES_PERIOD
    turns = Turn.objects.filter(created_at__gte=since, conversation__is_test=False)
    counted = turns.aggregate(
        questions=Count("id"),
        answered=Count(
            "id", filter=Q(status=Turn.Status.DONE) & ~Q(rung__in=["human", "person", "held", ""])
        ),
    )
    questions = counted["questions"]
    return Figures(
        questions=questions,
        answered_share=counted["answered"] / questions if questions else None,
        open_tickets=Ticket.objects.filter(state=Ticket.State.OPEN).count(),
        open_gaps=Gap.objects.filter(state=Gap.State.OPEN, assistant__deleted_at=None).count(),
    )


def withheld_models(assistant: Assistant) -> list[str]:
    """What draft or visitors' version are to write with and the business may not use."""
    configs = [AssistantConfig.of_draft(assistant)]
    if assistant.published is not None:
        configs.append(AssistantConfig.of_version(assistant.published))
    wanted = [config.composed.model for config in configs if config.composed.enabled]
    found = [model_in_vain(model) for model in dict.fromkeys(wanted)]
    return [name for name in dict.fromkeys(found) if name]


def assistants_without_model() -> list[tuple[Assistant, str]]:
    """Those whose visitors get no written answers because of it."""
    rows = Assistant.objects.filter(deleted_at=None).exclude(published=None)
    wanted = [
        (row, config.composed.model)
        for row in rows.select_related("published").order_by("name")
        if (config := AssistantConfig.of_version(row.published)).composed.enabled
    ]
    in_vain = {model: model_in_vain(model) for model in {model for _, model in wanted}}
    return [(row, in_vain[model]) for row, model in wanted if in_vain[model]]


@dataclass(frozen=True)
class Upkeep:
    """What waits for a look: shelves with the number of their findings, documents by their last day, assistants
    whose model was withdrawn.
    """

    bases: list[tuple[KnowledgeBase, int]]
    expiring: list[Document]
    expiring_count: int
    without_model: list[tuple[Assistant, str]]


def upkeep(shown: int = 3) -> Upkeep:
    expiring = list(documents_expiring()[:_EXPIRING_COUNTED])
    counts = findings_open()
    bases = knowledge_bases_list().filter(id__in=list(counts))
    return Upkeep(
        bases=[(base, counts[base.id]) for base in bases],
        expiring=expiring[:shown],
        expiring_count=len(expiring),
        without_model=assistants_without_model(),
    )


def documents_latest(limit: int = 5) -> list[Document]:
    return list(
        Document.objects.filter(deleted_at=None, knowledge_base__deleted_at__isnull=True)
        .select_related("knowledge_base")
        .order_by("-created_at")[:limit]
    )


def bases_with_counts(bases: Any) -> Any:
    """Adds `document_count` and `ready_count` to each knowledge base, in the same query."""
    present = Q(documents__deleted_at=None)
    return bases.annotate(
        document_count=Count("documents", filter=present),
        ready_count=Count("documents", filter=present & Q(documents__status=Document.Status.READY)),
    )


def audit_list() -> Any:
    return AuditEntry.objects.order_by("-created_at")
