"""A contract's text as clauses, parties, terms, dates, sums and references, each with its place."""

from apps.contracts.reading.clauses import Clause
from apps.contracts.reading.contract import Contract, contract_read
from apps.contracts.reading.text import ContractText, Paragraph, Place

__all__ = ["Clause", "Contract", "ContractText", "Paragraph", "Place", "contract_read"]
