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
from django.db import connection
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
    """Runs `action` inside `tenant_tx` unless `key` was used; its answer commits together with its effect, so a process
    that dies half-way leaves nothing behind and the client's next try is the first again.
    What calls a model cannot run so (`in_transaction` False): its answer is kept right after.
    `caller` separates the keys of different callers of one tenant; `encoder` makes the answer plain JSON.
    """
    if in_transaction:
        with tenant_tx(tenant_id):
            return _run_in_transaction(tenant_id, caller, key, digest, action, encoder)
    kept = reserve(tenant_id=tenant_id, caller=caller, key=key, digest=digest)
    if kept is not None:
        return kept
    try:
        with tenant_context(tenant_id):
            status, body = action()
            plain = json.loads(json.dumps(body, cls=encoder))
            keep(tenant_id=tenant_id, caller=caller, key=key, result=(status, plain))
            return status, plain
    except BaseException:
        release(tenant_id=tenant_id, caller=caller, key=key)
        raise


def _run_in_transaction(
    tenant_id: UUID,
    caller: str,
    key: str,
    digest: str,
    action: Callable[[], Result],
    encoder: type[json.JSONEncoder],
) -> Result:
    _check_length(key)
    # The lock goes with the transaction, also when the process is killed; a row would have to be waited out.
    with connection.cursor() as cursor:
        name = lock_name(tenant_id, caller, key)
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        is_first = cursor.fetchone()[0]
    if not is_first:
        raise _in_flight()
    _forget_abandoned(caller, key)
    row = IdempotencyRecord.objects.filter(caller=caller, key=key).first()
    if row is not None:
        return _replay(row, digest)
    status, body = action()
    plain = json.loads(json.dumps(body, cls=encoder))
    IdempotencyRecord.objects.create(
        tenant_id=tenant_id, caller=caller, key=key, fingerprint=digest, status=status, body=plain
    )
    return status, plain


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
    _check_length(key)
    with tenant_tx(tenant_id):
        _forget_abandoned(caller, key)
        record = IdempotencyRecord(tenant_id=tenant_id, caller=caller, key=key, fingerprint=digest)
        IdempotencyRecord.objects.bulk_create([record], ignore_conflicts=True)
        row = IdempotencyRecord.objects.filter(caller=caller, key=key).first()
        if row is None:
            # The first call failed and took its row away at this very moment.
            raise _in_flight()
        return None if row.id == record.id else _replay(row, digest)


def lock_name(tenant_id: UUID, caller: str, key: str) -> str:
    """What the first call under a key locks while it runs in its transaction."""
    return f"idempotency:{tenant_id}:{caller}:{key}"


def _replay(row: IdempotencyRecord, digest: str) -> Result:
    if row.fingerprint != digest:
        raise Invalid(
            "This Idempotency-Key was used with another request.", code="idempotency_mismatch"
        )
    if row.status is None:
        raise _in_flight()
    return row.status, row.body


def _in_flight() -> Conflict:
    return Conflict(
        "The first request with this key is still running.", code="idempotency_in_flight"
    )


def _forget_abandoned(caller: str, key: str) -> None:
    before = timezone.now() - ABANDONED_AFTER
    IdempotencyRecord.objects.filter(
        caller=caller, key=key, status=None, created_at__lt=before
    ).delete()


def _check_length(key: str) -> None:
    if len(key) > _MAX_KEY:
        raise Invalid(f"Idempotency-Key is longer than {_MAX_KEY} characters.")
