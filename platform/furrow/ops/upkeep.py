"""What is thrown away by itself, once a day: spent keys and links, old job rows, what owners deleted
long ago, files nobody points to, and what each trade throws away.
"""

from datetime import timedelta

from django.utils import timezone

from furrow.accounts.models import SignInLink
from furrow.core.context import unscoped
from furrow.core.extensions import extensions
from furrow.core.models import Job
from furrow.knowledge.models import DocumentVersion
from furrow.knowledge.services.purge import deleted_purge
from furrow.knowledge.storage import files_older_than_a_day
from furrow.tenants.models import IdempotencyRecord

KEYS_KEPT = timedelta(days=2)
LINKS_KEPT = timedelta(days=1)
JOBS_KEPT = timedelta(days=30)
# So long can the owner bring back what was deleted.
DELETED_KEPT = timedelta(days=30)


def upkeep() -> dict[str, int]:
    """Deletes what has served its time; returns how much of each. Running it twice does no harm."""
    now = timezone.now()
    links, _ = SignInLink.objects.filter(expires_at__lt=now - LINKS_KEPT).delete()
    with unscoped("throw away spent idempotency keys and old job rows"):
        keys, _ = IdempotencyRecord.objects.filter(created_at__lt=now - KEYS_KEPT).delete()
        jobs, _ = Job.objects.filter(finished_at__lt=now - JOBS_KEPT).delete()
    documents, bases = deleted_purge(before=now - DELETED_KEPT)
    counts = {"links": links, "keys": keys, "jobs": jobs, "documents": documents, "bases": bases}
    trades = {name: throw_away() for name, throw_away in extensions.upkeep.items()}
    return {**counts, "files": _orphans_delete(), **trades}


def _orphans_delete() -> int:
    names = files_older_than_a_day()
    with unscoped("find which stored files still belong to a document"):
        known = set(
            DocumentVersion.objects.filter(file_key__in=names).values_list("file_key", flat=True)
        )
    orphans = [path for name, path in names.items() if name not in known]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)
