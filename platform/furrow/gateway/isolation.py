"""What a model server is told about a tenant: enough to keep tenants apart, nothing that names one."""

import hashlib
import hmac
from uuid import UUID

from django.conf import settings

from furrow.core.context import tenant_id_or_none


def tenant_tag() -> str:
    """Under which the server shares its time out fairly; empty outside a tenant."""
    tenant_id = tenant_id_or_none()
    return "" if tenant_id is None else _keyed(b"tenant-tag:" + tenant_id.bytes)[:16]


def cache_salt(tenant_id: UUID) -> str:
    """Separates the prompt caches of tenants. Nobody without the server's secret can make another's."""
    tenant = tenant_id.bytes
    # The length first, so that no longer name can ever begin with a shorter one's salt input.
    return _keyed(b"cache-salt:" + len(tenant).to_bytes(4, "big") + tenant)


def _keyed(text: bytes) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()
