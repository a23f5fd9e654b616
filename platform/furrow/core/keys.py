"""The one place that builds names in shared stores, so that every name carries its tenant."""

from uuid import UUID


def tenant_key(tenant_id: UUID, *parts: object) -> str:
    """A Redis, cache or rate-limit key, e.g. `t:<tenant>:turn:<id>`."""
    return ":".join(["t", str(tenant_id), *map(str, parts)])


def file_key(tenant_id: UUID, folder: str, file_id: UUID) -> str:
    """Where an uploaded file lies under FILES_DIR: never derived from the name its owner gave it."""
    text = file_id.hex
    return f"{tenant_id.hex}/{folder}/{text[:2]}/{text}"
