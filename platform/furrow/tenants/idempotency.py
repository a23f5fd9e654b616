"""`Idempotency-Key`: the first answer is kept and replayed, so a client may repeat a POST without fear.

Same key and body: the kept answer. Same key, other body: 422. First call still running: 409. A call that
failed keeps nothing, so it can be repeated. Shared by every door that takes calls from programs.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest
from django.utils import timezone

from furrow.core.context import tenant_context, tenant_tx
from furrow.core.errors import Conflict, Invalid
from furrow.tenants.models import IdempotencyRecord

Result = tuple[int, Any]
ABANDONED_AFTER = timedelta(minutes=2)
_MAX_KEY = 120


def fingerprint(request: HttpRequest) -> str:
    """A digest of what was asked: path and body, or the fields and contents of a form."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type == "multipart/form-data":
        for name, values in sorted(request.POST.lists()):
            digest.update(json.dumps([name, values]).encode())
        for name, file in sorted(request.FILES.items()):
            digest.update(f"{name}\n{getattr(file, 'name', '')}\n".encode())
            for piece in file.chunks():  # type: ignore[union-attr]
                digest.update(piece)
            file.seek(0)  # type: ignore[union-attr]
    else:
        digest.update(request.body)
    return digest.hexdigest()


def run_once(
    *,
    tenant_id: UUID,
    caller: str,
    key: str,
    digest: str,
    action: Callable[[], Result],
    encoder: type[json.JSONEncoder] = DjangoJSONEncoder,
    in_transaction: bool = True,
) -> Result:
    """Runs `action` inside `tenant_tx` unless `key` was used; its answer commits together with its effect.
    What calls a model cannot run so (`in_transaction` False): its answer is kept right after. `caller` separates the keys of different callers of one tenant; `encoder` makes the answer plain JSON.
    """
    kept = reserve(tenant_id=tenant_id, caller=caller, key=key, digest=digest)
    if kept is not None:
        return kept
    try:
        with tenant_tx(tenant_id) if in_transaction else tenant_context(tenant_id):
            status, body = action()
            plain = json.loads(json.dumps(body, cls=encoder))
            keep(tenant_id=tenant_id, caller=caller, key=key, result=(status, plain))
            return status, plain
    except BaseException:
        release(tenant_id=tenant_id, caller=caller, key=key)
        raise


def keep(*, tenant_id: UUID, caller: str, key: str, result: Result) -> None:
    """The answer that every repetition gets; its body is plain JSON."""
    with tenant_tx(tenant_id):
        IdempotencyRecord.objects.filter(caller=caller, key=key).update(
            status=result[0], body=result[1]
        )


def release(*, tenant_id: UUID, caller: str, key: str) -> None:
    """After a failure: the call may be made again."""
    with tenant_tx(tenant_id):
        IdempotencyRecord.objects.filter(caller=caller, key=key, status=None).delete()


def reserve(*, tenant_id: UUID, caller: str, key: str, digest: str) -> Result | None:
    """The kept answer; None for the first call, which must `keep` its answer or `release` the key. Raises while
    the first is running, and for another request. `run_once` is all three around a block.
    """
    if len(key) > _MAX_KEY:
        raise Invalid(f"Idempotency-Key is longer than {_MAX_KEY} characters.")
    with tenant_tx(tenant_id):
        IdempotencyRecord.objects.filter(
            caller=caller,
            key=key,
            status=None,
            created_at__lt=timezone.now() - ABANDONED_AFTER,
        ).delete()
        record = IdempotencyRecord(tenant_id=tenant_id, caller=caller, key=key, fingerprint=digest)
        IdempotencyRecord.objects.bulk_create([record], ignore_conflicts=True)
        kept = IdempotencyRecord.objects.filter(caller=caller, key=key).first()
        if kept is not None and kept.id == record.id:
            return None
        if kept is not None and kept.fingerprint != digest:
            raise Invalid(
                "This Idempotency-Key was used with another request.", code="idempotency_mismatch"
            )
        # None: the first call failed and took its row away at this very moment.
        if kept is None or kept.status is None:
            raise Conflict(
                "The first request with this key is still running.", code="idempotency_in_flight"
            )
        return kept.status, kept.body
