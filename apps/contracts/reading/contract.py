"""Everything that is read from a contract before anything is checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from apps.contracts.reading import clauses as tree
from apps.contracts.reading.amounts import Amount, Percent, Span, amounts, percents, spans
from apps.contracts.reading.clauses import Clause
from apps.contracts.reading.dates import DateFound, dates
from apps.contracts.reading.definitions import Definition, definitions_read
from apps.contracts.reading.parties import Party, parties_read
from apps.contracts.reading.references import Reference, references_read
from apps.contracts.reading.text import ContractText


@dataclass(frozen=True)
class Contract:
    source: ContractText
    clauses: list[Clause]

    @property
    def text(self) -> str:
        return self.source.text

    def walk(self) -> Iterator[Clause]:
        return tree.walk(self.clauses)

    @cached_property
    def all_clauses(self) -> list[Clause]:
        return list(self.walk())

    def clause_at(self, offset: int) -> Clause:
        """The innermost clause around the character."""
        best = self.clauses[0]
        for clause in self.all_clauses:
            if clause.start <= offset < clause.end and clause.level >= best.level:
                best = clause
        return best

    @cached_property
    def amounts(self) -> list[Amount]:
        return amounts(self.text)

    @cached_property
    def percents(self) -> list[Percent]:
        return percents(self.text)

    @cached_property
    def spans(self) -> list[Span]:
        return spans(self.text)

    @cached_property
    def dates(self) -> list[DateFound]:
        return dates(self.text)

    @cached_property
    def parties(self) -> list[Party]:
        return parties_read(self.source)

    @cached_property
    def definitions(self) -> list[Definition]:
        return definitions_read(self.text)

    @cached_property
    def references(self) -> list[Reference]:
        """Without the numbers that clauses begin with."""
        heads = {(clause.start, clause.kind == "annex") for clause in self.all_clauses}
        return [r for r in references_read(self.text) if (r.start, r.kind == "annex") not in heads]


def contract_read(source: ContractText) -> Contract:
    return Contract(source, tree.clauses_read(source))
