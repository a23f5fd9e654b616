"""The nightly asking of every published assistant's golden questions, once a night."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from furrow.assistants.evaluation.models import EvaluationRun, GoldenQuestion
from furrow.assistants.evaluation.runs import Kind, Subject, run_create
from furrow.assistants.models import Assistant
from furrow.assistants.services import assistant_lock
from furrow.core.context import tenant_tx, unscoped

# By the business's clock (TIME_ZONE): when few visitors ask. A machine that was off then catches up in the day.
FROM_HOUR = 2


def nightly_enqueue(now: datetime | None = None) -> int:
    """Begins the runs that are due; says how many. May be called as often as one likes."""
    now = timezone.localtime(now)
    if now.hour < FROM_HOUR:
        return 0
    midnight = datetime.combine(now.date(), time(), now.tzinfo)
    with unscoped("find the assistants whose golden questions are due tonight"):
        due = list(_due(midnight).values_list("tenant_id", "id"))
    return sum(_begin(tenant_id, assistant_id, midnight) for tenant_id, assistant_id in due)


def _due(midnight: datetime) -> QuerySet[Any]:
    golden = GoldenQuestion.objects.filter(
        tenant_id=OuterRef("tenant_id"), assistant=OuterRef("pk"), is_enabled=True
    )
    asked = EvaluationRun.objects.filter(
        tenant_id=OuterRef("tenant_id"),
        assistant=OuterRef("pk"),
        kind=Kind.NIGHTLY,
        created_at__gte=midnight,
    )
    assistants = Assistant.objects.filter(deleted_at=None, published__isnull=False)
    return assistants.filter(Exists(golden), ~Exists(asked))


def _begin(tenant_id: UUID, assistant_id: UUID, midnight: datetime) -> bool:
    with tenant_tx(tenant_id):
        assistant = Assistant.objects.select_related("published").get(id=assistant_id)
        assistant_lock(assistant)
        # Looked at again under the lock: two beats must not ask twice.
        if not _due(midnight).filter(id=assistant_id).exists():
            return False
        run_create(
            assistant=assistant, kind=Kind.NIGHTLY, candidate=Subject.version(assistant.published)
        )
    return True
