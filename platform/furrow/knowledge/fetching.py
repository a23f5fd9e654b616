"""Brings the page behind a document's web address into its version."""

import io
from urllib.parse import unquote, urlsplit

from django.conf import settings

from furrow.core.context import tenant_tx
from furrow.core.egress import fetch_public
from furrow.core.extensions import JobRun
from furrow.knowledge import storage
from furrow.knowledge.models import DocumentVersion
from furrow.knowledge.services.details import file_name_cleaned

_ENDINGS = {"text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt"}


def page_fetch(job: JobRun, version: DocumentVersion, url: str) -> None:
    """Stores what the address answers as the version's file."""
    fetched = fetch_public(url, max_bytes=settings.UPLOAD_MAX_BYTES)
    with tenant_tx(job.tenant_id):
        job.renew()
        stored = storage.file_save(io.BytesIO(fetched.content), version.id)
        version.file_key = stored.key
        version.size_bytes, version.sha256 = stored.size_bytes, stored.sha256
        version.content_type = fetched.content_type[:120]
        version.file_name = _file_name(fetched.url, fetched.content_type)
        version.save(
            update_fields=["file_key", "size_bytes", "sha256", "content_type", "file_name"]
        )


def _file_name(url: str, content_type: str) -> str:
    """A page called `/about.php` is still a web page: where the server says so, the ending follows."""
    name = file_name_cleaned(unquote(urlsplit(url).path).rstrip("/")) or "page"
    ending = _ENDINGS.get(content_type.split(";")[0].strip().lower(), "")
    return name if not ending or name.lower().endswith(ending) else name[:280] + ending
