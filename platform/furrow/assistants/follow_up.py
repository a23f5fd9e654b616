"""Questions that lean on the one before: "那运费呢？", "how about 10 kg?"."""

import re

from furrow.assistants.figures import figures_of, without_figures
from furrow.assistants.human_wish import wants_person
from furrow.assistants.ladder import Exchange, Question
from furrow.knowledge.text.analysis import analyse_query
from furrow.knowledge.text.folding import fold

_LEANS_ZH = re.compile(
    r"^(?:那么?|那如果|那要是|要是|如果|还有|另外|然后|换成|改成|它|这个|那个|这种|那种|这款|那款|其他)"
    r"|呢[?？。!！\s]*$|(?:它|这个|那个|这种|那种|这款|那款|上面|刚才)"
)
_LEANS_EN = re.compile(
    r"^(?:(?:and|or|so|then|ok|but)\b[ ,]*)?(?:(?:how|what) about|what if|and|also|same for|why|how so|"
    r"for|to|in|with)\b|\b(?:it|its|they|them|their|that|those|this|these|the same|one|ones|there)\b"
)
_SHORT_ZH, _SHORT_EN = 14, 8
_REACH = 4


def is_follow_up(text: str) -> bool:
    """Short, and leaning on something said before (or holding almost no word of its own)."""
    folded = fold(text).strip()
    terms = analyse_query(folded)
    if any("\u3400" <= char <= "\u9fff" for char in folded):
        characters = [term for term in terms if len(term.text) == 1]
        is_bare = len(characters) <= 2
        return len(folded) <= _SHORT_ZH and (is_bare or bool(_LEANS_ZH.search(folded)))
    words = re.findall(r"[\w'-]+", folded)
    return len(words) <= _SHORT_EN and (len(terms) <= 1 or bool(_LEANS_EN.search(folded)))


def search_query(question: Question) -> tuple[str, bool]:
    """What to search for, and whether words of an earlier question were added.

    They come from the last question that stood on its own; its figures are left out when the new one
    brings its own, so that "how about 10 kg?" does not find the price of 5 kg.
    """
    if not is_follow_up(question.text):
        return question.text, False
    topic = _topic(question.history)
    if not topic:
        return question.text, False
    kept = without_figures(topic) if figures_of(question.text) else topic
    return f"{kept} {question.text}", True


def _topic(history: tuple[Exchange, ...]) -> str:
    recent = [e for e in history if e.rung != "greeting" and not wants_person(e.question)][-_REACH:]
    for exchange in reversed(recent):
        if not is_follow_up(exchange.question):
            return exchange.question
    return recent[-1].question if recent else ""
