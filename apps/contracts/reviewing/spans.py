"""The name of a quote within its contract: decisions hang on it across runs and versions."""

import hashlib
import re
from collections import Counter


class SpanKeys:
    """Call in the order of the text: of two like quotes of one rule the first is the first again next time."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str]] = Counter()

    def of(self, rule: str, quote: str) -> str:
        words = re.sub(r"\s+", "", quote)
        number = self._seen[rule, words]
        self._seen[rule, words] += 1
        return hashlib.sha256(f"{words}\n{number}".encode()).hexdigest()
