"""Reads the dirty files and compares what the import complains of with the manifest."""

import csv
from dataclasses import dataclass

from apps.support.importing.columns import guessed
from apps.support.importing.rows import rows_read
from apps.support.importing.tables import table_read
from tests.apps.support.claim_cases import SETS

FOLDER = SETS / "imports"


@dataclass(frozen=True)
class DirtyFile:
    name: str
    kind: str
    platform: str
    bad: frozenset[tuple[int, str]]

    @property
    def data(self) -> bytes:
        return (FOLDER / self.name).read_bytes()

    def complaints(self, known_codes: frozenset[str]) -> frozenset[tuple[int, str]]:
        table = table_read(self.data, kind=self.kind)
        columns = guessed(self.kind, table.head)
        read = rows_read(self.kind, table.head, table.rows, columns, known_codes=known_codes)
        return frozenset((row.line, problem["code"]) for row in read for problem in row.problems)


def dirty_files() -> list[DirtyFile]:
    with (FOLDER / "manifest.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return [
        DirtyFile(
            row["file"], row["kind"], row["platform"], frozenset(map(_bad, row["bad"].split()))
        )
        for row in rows
    ]


def _bad(text: str) -> tuple[int, str]:
    line, code = text.split(":")
    return int(line), code
