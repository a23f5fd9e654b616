"""Reads the written claim cases; used by the tests and by the bench."""

import csv
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from apps.support.claiming.engine import reckon
from apps.support.claiming.rules import Facts, Outcome, Rule, Terms
from apps.support.claiming.starter import STARTER_RULES

SETS = Path(__file__).parent / "sets"
DELIVERED = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
APPROVE_ABOVE = Decimal(50)
_DECIMALS = {"paid": "paid", "freight": "freight", "refunded": "already_refunded", "net": "net_kg", "bad": "bad_kg",
             "received": "received_kg", "sugar": "sugar"}  # fmt: skip
_COUNTS = {"count": "bad_count", "of": "total_count", "late": "days_late"}
_SETS = {"photos": "photos", "exclusions": "exclusions"}


@dataclass(frozen=True)
class Case:
    id: str
    story: str
    rules: tuple[Rule, ...]
    facts: Facts
    expected: dict[str, str]

    def reckon(self) -> Outcome:
        return reckon(self.rules, self.facts, approve_above=APPROVE_ABOVE)

    def wrong(self) -> list[str]:
        """What differs from the written expectation; empty when all is right."""
        got, want = self.reckon(), self.expected
        pairs = {
            "kind": (got.kind, want["kind"]),
            "total": (got.total, Decimal(want["total"])),
            "freight": (got.freight, Decimal(want["freight"])),
            "approver": (got.approver, want["approver"]),
        }
        found = [f"{k}: {a} instead of {b}" for k, (a, b) in pairs.items() if a != b]
        if want["step"] not in {step.code for step in got.steps}:
            found.append(f"{want['step']} is not among {[step.code for step in got.steps]}")
        return found


def rules_of(rows: Any) -> tuple[Rule, ...]:
    return tuple(
        Rule(str(n), zh, en, reason, Terms.of_json(terms), tuple(categories), n)
        for n, (zh, en, reason, categories, terms) in enumerate(rows)
    )


def claim_cases() -> list[Case]:
    shops = json.loads((SETS / "claim_shops.json").read_text("utf-8")) | {"orchard": STARTER_RULES}
    with (SETS / "claims.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return [
        Case(row["id"], row["story"], rules_of(shops[row["shop"]]), facts_of(row["facts"]), row)
        for row in rows
    ]


def facts_of(text: str) -> Facts:
    given = dict(pair.split("=", 1) for pair in text.split())
    values: dict[str, Any] = {"delivered_at": DELIVERED}
    for name, value in given.items():
        if name in _DECIMALS:
            values[_DECIMALS[name]] = Decimal(value)
        elif name in _COUNTS:
            values[_COUNTS[name]] = int(value)
        elif name in _SETS:
            values[_SETS[name]] = frozenset(value.split(","))
        elif name == "reported":
            values["reported_at"] = DELIVERED + _hours(value)
        elif name == "picked":
            values["picked_up_at"] = DELIVERED + _hours(value)
        elif name == "announced":
            values["is_pickup_announced"] = value == "yes"
        elif name == "doubtful":
            values["is_photo_doubtful"] = value == "yes"
        elif name == "delivered":
            values["delivered_at"] = None
        else:
            values[name] = value
    return Facts(**values)


def _hours(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)h(?:(\d+)m)?", text)
    assert found is not None
    return timedelta(hours=int(found[1]), minutes=int(found[2] or 0))
