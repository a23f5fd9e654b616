"""The verdict on one sentence: does a passage support all it says?"""

from collections.abc import Mapping
from dataclasses import dataclass

from furrow.assistants.verifier.decision import score
from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.features import features_of
from furrow.assistants.verifier.held_figures import missing_figure, turned_bound
from furrow.assistants.verifier.names import unknown_name
from furrow.assistants.verifier.openings import without_opening
from furrow.assistants.verifier.places_in_order import more_days, other_place
from furrow.assistants.verifier.roles import acts_for_another
from furrow.assistants.verifier.statements import Statements, best_line

# Less of a sentence's words than this in its passage is what staff is told; the decision weighs much besides.
_FEW_WORDS = 0.75


@dataclass(frozen=True)
class Verdict:
    """`reason` is empty for a supported sentence; `detail` is what was not found, for staff. `line` is the
    passage's sentence that supports it best, `share` how much of its words the evidence holds.
    """

    reason: str
    detail: str = ""
    line: int = -1
    share: float = 0.0

    @property
    def is_supported(self) -> bool:
        return not self.reason


def judge(sentence: str, statements: Statements, *, words_count: bool = True) -> Verdict:
    """What says the same again leaves, what the vetoes hold back stays; the trained decision has the rest. Without
    `words_count` somebody else judges whether the words say the same.
    """
    evidence = statements.evidence
    if not statements.all:
        return Verdict("no_evidence")
    body, opening = without_opening(sentence)
    line = best_line(body, statements)
    if is_copy(sentence, statements):
        return Verdict("", "", line, 1.0)
    features = features_of(body, statements, opening)
    share = features["share_all"]
    reason, detail = (
        veto(body, evidence)
        or contradiction(body, features, statements)
        or (_unsure(features) if words_count else _turned(features))
    )
    return Verdict(reason, detail, line, share)


def is_copy(sentence: str, statements: Statements) -> bool:
    """A yes or no that it opens with must be the passage's own."""
    body, opening = without_opening(sentence)
    return statements.evidence.holds_verbatim(sentence) or (not opening and statements.copies(body))


def veto(sentence: str, evidence: Evidence) -> tuple[str, str] | None:
    """What no likeness makes good: a figure or a name that the passage does not have."""
    if missing := missing_figure(sentence, evidence):
        return missing
    name = unknown_name(sentence, evidence.words, evidence.whole)
    return ("name_not_in_passage", name) if name else None


def contradiction(
    sentence: str, features: Mapping[str, float], statements: Statements
) -> tuple[str, str] | None:
    """Signs that no honest sentence of the sets for training shows, or next to none."""
    if features["crossed"] or features["trace_swapped_shares"]:
        return "figure_of_another", "crossed"
    if bound := turned_bound(sentence, statements.evidence):
        return "says_the_opposite", bound
    if features["yes_to_no"] or features["no_to_yes"]:
        return "says_the_opposite", "yes or no"
    if features["over_all"]:
        return "claim_not_in_passage", "all"
    if place := other_place(sentence, statements.evidence):
        return "figure_of_another", place
    if days := more_days(sentence, statements.evidence):
        return "weekday_not_in_passage", days
    if clause := acts_for_another(sentence, statements.evidence):
        return "says_the_opposite", clause[:60]
    return None


def _unsure(features: Mapping[str, float]) -> tuple[str, str]:
    certainty = score(features)
    if certainty > 0:
        return "", ""
    return _why(features), f"{certainty:.2f}"


def _why(features: Mapping[str, float]) -> str:
    """The likeliest reason, in words for staff."""
    if features["near.min"] < _FEW_WORDS:
        return "words_not_in_passage"
    if features["against.max"]:
        return "says_the_opposite"
    if features["sweeps"]:
        return "claim_not_in_passage"
    if features["promises"]:
        return "promise_not_in_passage"
    if features["margin.min"] < 0 or features["local.min"] < 1:
        return "figure_of_another"
    return "not_sure"


def _turned(features: Mapping[str, float]) -> tuple[str, str]:
    """By everything but the words."""
    if features["against.max"]:
        return "says_the_opposite", ""
    if features["sweeps"]:
        return "claim_not_in_passage", ""
    return ("promise_not_in_passage", "") if features["promises"] else ("", "")
