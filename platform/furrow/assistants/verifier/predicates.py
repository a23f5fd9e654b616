"""What may and may not be done, verb by verb."""

import re

from furrow.assistants.verifier.evidence import Evidence, clauses_of
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.words import coverage, words_of
from furrow.knowledge.text.stemming import root

_MAY_ZH = r"(?<!不)(?:可以|可(?!能|是)|能够|能(?!否)|允许|准许|予以|支持)"
_NOT_ZH = r"(?:不(?:能|得|可以|可|许|准|会|予|给|再|用|支持|允许|接受|提供)?|禁止|严禁|谢绝|拒绝|无法|没有?|未)"
_BETWEEN = r"(?:都|也|再|随时|直接|免费|全额|全部|无条件|随意|自行|进行|办理|申请|要求|给|被|够)*"
_SAID_ZH = re.compile(rf"(?P<may>{_MAY_ZH})|(?P<not>{_NOT_ZH})")
_VERB_ZH = re.compile(rf"{_BETWEEN}(?P<verb>[\u4e00-\u9fff]{{1,2}})")
_MAY_EN = re.compile(
    r"\b(?:can|may|could|will|is|are|be|allowed to|able to)(?: (?:also|be|always|still|now|even|freely|then))* (?P<verb>[a-z]{3,})"
)
_NOT_EN = re.compile(
    r"(?:\bnot|n't|\bcannot|\bnever)(?: (?:be|to|allowed|permitted|able|have|been|yet|currently|ever))* (?P<verb>[a-z]{3,})"
)
_NOBODY = re.compile(r"\b(?:no|nothing|none|neither|nor|without|nobody)\b")
_AUXILIARY = frozenset("not the also only always allowed permitted able free available".split())
_PERMITS = re.compile(
    r"(?<!不)(?:可以|允许|(?<![不可])能(?!否))|\b(?:can|may|allowed|permitted|welcome|accepted)\b(?!'t| not)"
)
_REFUSES = re.compile(
    r"\b(?:is|are|be|may|can|must|will)(?: not|n't) |\bcannot\b|不(?:能|得|可|许|准|予|收|接|退|办|送|卖|参加|支持|接受|允许)|禁止|严禁|谢绝"
)
_EXCEPT = re.compile(
    r"除|例外|仅|只|\bexcept|\bunless\b|\bonly\b|\bwithout\b|\bbefore\b|\buntil\b|\bif\b|超过|未经"
)
_HELD = 0.9
_LEAST = 2.0


def turned_round(sentence: str, evidence: Evidence) -> str:
    """The clause that allows what its place in the passage denies."""
    for clause in clauses_of(sentence):
        text = clause.text
        at = evidence.aligned(text)[0][1]
        line = normal(evidence.texts[at])
        if _verb_turned(text, line) or _permits_the_refused(text, evidence, at):
            return text.strip()
    return ""


def _verb_turned(text: str, line: str) -> bool:
    """Whether one says `may` and the other `may not` of the same verb, wherever else either denies something."""
    mine, theirs = _verbs(text), _verbs(line)
    for verb, is_allowed in mine.items():
        if is_allowed is None or verb not in theirs:
            continue
        if theirs[verb] is not None and theirs[verb] is not is_allowed:
            return True
    return False


def _verbs(text: str) -> dict[str, bool | None]:
    """Verbs with whether they are allowed; None where the text says both, or neither."""
    found: dict[str, set[bool]] = {}
    for match in _SAID_ZH.finditer(text):
        if verb := _VERB_ZH.match(text, match.end()):
            found.setdefault(verb["verb"], set()).add(bool(match["may"]))
    for match in _NOT_EN.finditer(text):
        found.setdefault(root(match["verb"]), set()).add(False)
    for match in _MAY_EN.finditer(text):
        if match["verb"] not in _AUXILIARY and not _NOBODY.search(text[: match.start()]):
            found.setdefault(root(match["verb"]), set()).add(True)
    said = {verb: values.pop() if len(values) == 1 else None for verb, values in found.items()}
    return {
        verb: value if text.count(verb) == 1 or verb.isascii() else None
        for verb, value in said.items()
    }


def _permits_the_refused(text: str, evidence: Evidence, at: int) -> bool:
    """Whether all that a permission speaks of stands in one clause that refuses it."""
    if not _PERMITS.search(text) or _REFUSES.search(text):
        return False
    for theirs in evidence.lines[at].clauses:
        held = coverage(text, words_of(theirs.text))
        if held.weight >= _LEAST and held.share >= _HELD:
            return bool(_REFUSES.search(theirs.text)) and not (
                _EXCEPT.search(theirs.text) or _PERMITS.search(_REFUSES.sub(" ", theirs.text))
            )
    return False
