"""What an uploader may say about a document, checked."""

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from furrow.core.egress import check_url
from furrow.core.errors import Invalid
from furrow.knowledge.models import Document

MAX_METADATA_BYTES = 16 * 1024
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Details:
    title: str
    external_id: str
    metadata: dict[str, Any] | None
    valid_from: date | None
    valid_to: date | None

    @classmethod
    def checked(
        cls,
        title: str,
        external_id: str,
        metadata: dict[str, Any] | None,
        valid_from: date | None,
        valid_to: date | None,
    ) -> "Details":
        """Raises `Invalid` naming the field."""
        external_id = text_cleaned(external_id).strip()
        if len(external_id) > 200:
            raise Invalid(_("An external id has at most 200 characters."), field="external_id")
        if valid_from and valid_to and valid_from > valid_to:
            raise Invalid(_("The last valid day lies before the first."), field="valid_to")
        if metadata is not None and (
            not isinstance(metadata, dict) or len(json.dumps(metadata)) > MAX_METADATA_BYTES
        ):
            raise Invalid(_("Metadata is an object of at most 16 kB."), field="metadata")
        title = " ".join(text_cleaned(title).split())[:300]
        return cls(title, external_id, metadata, valid_from, valid_to)

    def write_to(self, document: Document) -> None:
        """What was left empty keeps its value, but for the dates: an upload says how long it is valid."""
        document.title = self.title or document.title
        document.external_id = self.external_id
        document.metadata = document.metadata if self.metadata is None else self.metadata
        document.valid_from, document.valid_to = self.valid_from, self.valid_to


def text_cleaned(text: str) -> str:
    """Without what a UTF-8 database column cannot hold."""
    return _UNSTORABLE.sub("", text)


def file_name_cleaned(file_name: str) -> str:
    """The last part of a path, without control and direction characters; it is only ever shown."""
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in text_cleaned(name) if unicodedata.category(c) not in {"Cc", "Cf"})
    stem, dot, ending = name.strip().rpartition(".")
    if len(name) > 300 and dot and len(ending) < 20:
        name = f"{stem[: 299 - len(ending)]}.{ending}"
    return name.strip()[:300] or "file"


def url_checked(url: str) -> str:
    """Only the form; where it leads is checked when it is fetched."""
    url = text_cleaned(url).strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(url) > 2000:
        raise Invalid(
            _("Use a full web address that starts with http:// or https://."), field="url"
        )
    check_url(url)
    return url
