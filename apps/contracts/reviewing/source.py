"""Between the platform's reader and the rows: a version is read once, and what was read is given back as it was."""

import json
from typing import Any

from apps.contracts.models import ContractVersion
from apps.contracts.reading import Contract as Read
from apps.contracts.reading import ContractText, contract_read
from furrow.knowledge.parsing.document import ParsedDocument


def parsed_apply(version: ContractVersion, parsed: ParsedDocument) -> None:
    """Writes what was read to the version, unsaved."""
    data: dict[str, Any] = json.loads(parsed.to_json())
    version.text = data.pop("text")
    version.warnings = data.pop("warnings")
    version.layout = data
    version.page_count, version.language = data["page_count"], data["language"]


def text_of(version: ContractVersion) -> ContractText:
    return ContractText.from_parsed(_restored(version))


def read_of(version: ContractVersion) -> Read:
    return contract_read(text_of(version))


def _restored(version: ContractVersion) -> ParsedDocument:
    data = {**version.layout, "text": version.text, "warnings": []}
    return ParsedDocument.from_json(json.dumps(data))
