"""The verdict on one sentence: does a passage support all it says?"""

from dataclasses import dataclass

from furrow.assistants.verifier.bindings import misplaced_figure
from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.held_figures import missing_figure
from furrow.assistants.verifier.meaning import opposite_part, unfounded_part
from furrow.assistants.verifier.names import unknown_name
from furrow.assistants.verifier.wording import missing_words
from furrow.assistants.verifier.words import coverage


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


def judge(sentence: str, evidence: Evidence, *, words_count: bool = True) -> Verdict:
    """The rules in order of how surely they speak; the first that fails decides. Without `words_count` somebody
    else judges whether the words say the same.
    """
    if not evidence.lines:
        return Verdict("no_evidence")
    best = evidence.aligned(sentence)[0][1]
    if evidence.holds_verbatim(sentence):
        return Verdict("", "", best, 1.0)
    share = coverage(sentence, evidence.words).share
    name = unknown_name(sentence, evidence.words, evidence.whole)
    reason, detail = (
        missing_figure(sentence, evidence)
        or (("name_not_in_passage", name) if name else None)
        or (missing_words(sentence, evidence) if words_count else None)
        or unfounded_part(sentence, evidence)
        or opposite_part(sentence, evidence)
        or misplaced_figure(sentence, evidence)
        or ("", "")
    )
    return Verdict(reason, detail, best, share)
