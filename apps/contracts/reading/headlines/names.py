"""What an English contract may be called: lines of its opening, and runs of words that end in `Agreement` and the like."""

import re
from collections.abc import Iterator

from apps.contracts.reading.headlines.choice import Candidate

_OPENING = 5_000
_LINES = 45
_KEY = r"(?:agreements?|contract|amendment|addendum|lease|charter|memorandum|undertaking|certificate|statement|attorney|endorsement|schedule|form|plan|program|letter|license|order|proposal|manual|guaranty|guarantee|policy|protocol|outline|conditions|terms|annex|supplement)"
_KEYS = re.compile(rf"\b{_KEY}\b", re.IGNORECASE)
_FIRM = re.compile(
    r"\b(?:corporation|corp|inc|llc|l\.l\.c|company|ltd|limited|bank|lp|gmbh|s\.?a|holdings|group|partners|international|technologies)\b",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"^\W*(?:execution (?:copy|version)|confidential(?: treatment)?(?: requested)?|form of|final|draft|exhibit\s+\S+|ex-\S+|conformed copy|redacted(?: copy)?|execution|version|copy)\b\W*",
    re.IGNORECASE,
)
_NO_START = re.compile(
    r"^(?:by and|between|among|dated|this|whereas|page|table|source|section|article|exhibit|schedule|annex)\b",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s(?:No\.?|NO\.?|#|Number|n°)\s?\d+(?:\sTO\s(?:THE\s)?)?|\s?\([^()]{2,40}\)|\s(?:FOR|OF|TO|for|of|to)(?:\s(?:[A-Z][\w,&-]*|and|of|the|for)){1,8}"
)
_SMALL = frozenset("and of for the to in on by with a an or & no. no - – /".split())
_TITLE_WORD = re.compile(r"[\W_]*[A-Z0-9#&]")


def name_candidates(text: str) -> list[Candidate[str]]:
    """Of squeezed text; the same words with other signs are one candidate."""
    found = _Names(text)
    lines = _lines(text)
    for number, (start, line) in enumerate(lines):
        if len(line) <= 220:
            found.add_line(lines, number)
        for place, end, features in _runs(line):
            found.add(start + place, start + end, features, number)
    return [
        *(Candidate(name, frozenset(features)) for name, features in found.names.values()),
        Candidate(None, frozenset({"none", "none long" if len(text) > 8_000 else "none short"})),
    ]


def bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _lines(text: str) -> list[tuple[int, str]]:
    found, place = [], 0
    for line in text[:_OPENING].split("\n")[:_LINES]:
        found.append((place, line))
        place += len(line) + 1
    return found


def _runs(line: str) -> Iterator[tuple[int, int, set[str]]]:
    """Every way to begin a run of title words that ends in a key word."""
    for key in _KEYS.finditer(line[:700]):
        if not _is_title(line[key.start() :]):
            continue
        words = [(match.start(), match[0]) for match in re.finditer(r"\S+", line[: key.end()])]
        first = len(words) - 1
        while first > 0 and len(words) - first < 14 and _goes_on(words[first - 1][1]):
            first -= 1
        tail = _TAIL.match(line[key.end() :])
        for at in range(first, len(words)):
            if words[at][1].lower() in _SMALL:
                continue
            features = {"run"} | ({"maximal"} if at == first else set())
            before = words[at - 1][1] if at else ""
            if before.lower() in {"this", "the"}:
                features.add("afterthis")
            if _FIRM.search(before):
                features.add("afterfirm")
            yield words[at][0], key.end(), features
            if tail:
                yield words[at][0], key.end() + tail.end(), features | {"tail"}


def _goes_on(word: str) -> bool:
    return _is_title(word) and not re.search(r"[.;:]$|[”\"]$", word)


def _is_title(word: str) -> bool:
    return (
        bool(_TITLE_WORD.match(word))
        or word.lower() in _SMALL
        or not any(char.islower() for char in word)
    )


class _Names:
    def __init__(self, text: str) -> None:
        self.names: dict[str, tuple[str, set[str]]] = {}
        self._text = text
        self._bare = bare(text[:60_000])

    def add_line(self, lines: list[tuple[int, str]], number: int) -> None:
        """The line, the line without what stands before its title, and with the next lines."""
        start, line = lines[number]
        end = start + len(line)
        self.add(start, end, {"line"}, number)
        inner = start
        for _ in range(3):
            noise = _NOISE.match(self._text[inner:end])
            if not noise:
                break
            inner += noise.end()
        if inner != start:
            self.add(inner, end, {"line", "denoised"}, number)
        for joined in range(1, 4):
            if number + joined >= len(lines):
                break
            place, following = lines[number + joined]
            if len(following) > 90 or place + len(following) - inner > 230:
                break
            self.add(inner, place + len(following), {"joined", f"join={joined}"}, number)

    def add(self, start: int, end: int, features: set[str], line: int) -> None:
        name = self._text[start:end].replace("\n", " ").strip(" -–:,.;\t*_")
        key = bare(name)
        if not 4 <= len(key) <= 140 or not _KEYS.search(name):
            return
        features = features | self._of_words(name, key) | self._of_place(start, end, line)
        if key in self.names:
            self.names[key][1].update(features)
        else:
            self.names[key] = name, features

    def _of_words(self, name: str, key: str) -> set[str]:
        words = [word.lower().strip('(),.:;"“”') for word in name.split()]
        letters = [char for char in name if char.isalpha()]
        last = words[-1]
        facts = {
            "caps": bool(letters) and all(char.isupper() for char in letters),
            "firm": bool(_FIRM.search(name)),
            "digit": any(char.isdigit() for char in name),
            "paren": "(" in name,
            "stop": bool(re.search(r"[.;:] ", name)),
            "comma": "," in name,
            "hasagr": "agreement" in words,
            "keys2": len(_KEYS.findall(name)) > 1,
            "this": f"this{key}" in self._bare,
            "badstart": bool(_NO_START.match(name)),
            f"last={last if _KEYS.search(last) else 'other'}": True,
            f"first={words[0]}": True,
            f"words={min(len(words), 9)}": True,
            f"n={min(self._bare.count(key), 4)}": True,
        }
        return {fact for fact, is_so in facts.items() if is_so}

    def _of_place(self, start: int, end: int, line: int) -> set[str]:
        before = re.search(r"(\S+) ?$", self._text[max(start - 25, 0) : start])
        after = re.match(r" ?(\S+)", self._text[end : end + 25])
        left = "nl" if before is None else _kind(before[1])
        right = "nl" if after is None else _kind(after[1])
        return {f"l={left}", f"r={right}", f"line={min(line, 12)}", f"at={min(start // 150, 8)}"}


def _kind(word: str) -> str:
    low = word.lower()
    return "title" if _is_title(word) and low not in _SMALL else low[:8]
