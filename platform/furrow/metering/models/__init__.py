"""The tables of metering. Rows of money are only ever added; the database takes every other right away."""

from furrow.metering.models.access import ModelRule
from furrow.metering.models.assumptions import Assumptions
from furrow.metering.models.invoices import Invoice, InvoiceLine, InvoicePaper
from furrow.metering.models.ledger import Account, Balance, Budget, BudgetNotice, Hold, LedgerLine
from furrow.metering.models.operator import MachinePrice
from furrow.metering.models.prices import PriceItem, PriceWindow
from furrow.metering.models.receipts import Alarm, Receipt, ReceiptSource, Reconciliation
from furrow.metering.models.usage import PriceHour, RollupDue, UsageEvent, UsageHour

__all__ = [
    "Account",
    "Assumptions",
    "Alarm",
    "Balance",
    "Budget",
    "BudgetNotice",
    "Hold",
    "Invoice",
    "InvoiceLine",
    "InvoicePaper",
    "LedgerLine",
    "MachinePrice",
    "ModelRule",
    "PriceHour",
    "PriceItem",
    "PriceWindow",
    "Receipt",
    "ReceiptSource",
    "Reconciliation",
    "RollupDue",
    "UsageEvent",
    "UsageHour",
]
