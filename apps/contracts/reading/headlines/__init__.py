"""What stands at the head of every file note: the contract's name, its days and its law.

Chinese by rules; English by candidates that small weights choose from, the law by rules. What they cannot tell
stays empty.
"""

from dataclasses import dataclass
from datetime import date

from apps.contracts.reading.headlines import chinese
from apps.contracts.reading.headlines.choice import best, squeezed
from apps.contracts.reading.headlines.days import Days
from apps.contracts.reading.headlines.law import law_read
from apps.contracts.reading.headlines.names import name_candidates
from apps.contracts.reading.headlines.terms import term_candidates


@dataclass(frozen=True)
class Headlines:
    name: str = ""
    made_on: date | None = None
    effective_on: date | None = None
    ends_on: date | None = None
    law: str = ""


def headlines_read(text: str) -> Headlines:
    if chinese.is_chinese(text):
        name, made, effective, ends = chinese.name_and_days(text)
        return Headlines(name, made, effective, ends, law_read(text))
    page = squeezed(text)
    days = Days(page)
    made = best("made", days.candidates())
    effective = best("effective", days.candidates(made))
    ends = best("ends", term_candidates(days, effective or made))
    return Headlines(best("name", name_candidates(page)) or "", made, effective, ends, law_read(page))  # fmt: skip
