"""Twenty contracts of other trades, whose slips were planted by hand, without a look at the checks.

In a file `⟦kind of slip|right→wrong⟧` marks a place: the left reading is in order, the right one is the slip. The head
names the contract's kind and whose side a reviewer is on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "second"
_PLACE = re.compile(r"⟦(\w+)\|(.*?)→(.*?)⟧")

# Which checks may report a kind of slip. One against a side may also be a playbook's, where it points to the place.
MAY_REPORT = {
    "line": "line_product table_total price_differs amount_words",
    "total": "table_total price_differs amount_words",
    "words": "amount_words",
    "share": "share_of_price instalments table_total",
    "multiple": "multiple yearly_rent text_product sum_differs amount_words",
    "date": "term_dates term_differs period_reversed impossible_date ended_before_signing",
    "name": "signature_name party_name",
    "party": "unknown_party",
    "undefined": "undefined_term",
    "unused": "unused_term",
    "reference": "dangling_reference",
    "annex": "missing_annex",
    "blank": "blank placeholder",
    "both": "court_and_arbitration arbitration_body",
    "deposit": "deposit_limit",
    "penalty": "penalty_limit daily_penalty rule:penalty",
    "probation": "probation probation_wage",
    "lease20": "lease_term",
    "copies": "copies",
    "unfair": "one_sided_change right_waived void_exclusion final_interpretation loan_interest interest_in_advance "
    "employee_penalty insurance_waived worker_deposit working_hours non_compete",
}  # fmt: skip
# These have to point to the planted place itself: such checks look at every sentence.
POINTED = frozenset({"unfair", "penalty"})


@dataclass(frozen=True)
class Slip:
    """Its wrong words, as they stand in the slipped text."""

    kind: str
    words: str

    def is_found_by(self, rule: str, quote: str) -> bool:
        """`quote` is what the finding points to."""
        may = rule in MAY_REPORT[self.kind].split()
        if self.kind not in POINTED:
            return may
        touches = bool(quote) and (self.words in quote or quote in self.words)
        by_playbook = self.kind == "unfair" and rule.startswith("rule:")
        return touches and (may or by_playbook)


@dataclass(frozen=True)
class Written:
    name: str
    kind: str
    side: str
    clean: str
    slipped: str
    slips: tuple[Slip, ...]


def second_set() -> Iterator[Written]:
    for path in sorted(FOLDER.glob("*.txt")):
        head, _line, body = path.read_text("utf-8").partition("\n---\n")
        values = dict(line.split(": ", 1) for line in head.splitlines())
        clean = _PLACE.sub(lambda match: match[2], body)
        # A place that is empty in order has a line of its own.
        clean = re.sub(r"\n\n+", "\n", clean)
        slipped, slips = _slipped(body)
        yield Written(path.stem, values["kind"], values["side"], clean, slipped, slips)


def _slipped(body: str) -> tuple[str, tuple[Slip, ...]]:
    text, slips, reached = "", [], 0
    for match in _PLACE.finditer(body):
        text += body[reached : match.start()]
        slips.append(Slip(match[1], match[3]))
        text += match[3]
        reached = match.end()
    return text + body[reached:], tuple(slips)
