"""Words that carry no content: dropped from the index in English, only from the query in Chinese."""

ENGLISH_STOP_WORDS = frozenset(
    "a an and are as at be been being but by can could did do does doing for from had has have he "
    "her his how i if in into is it its me my of on or our she should so than that the their them "
    "then there these they this those to us was we were what when where which who whom whose why "
    "will with would you your am please".split()
)
# Particles and question words: a passage rarely repeats them, and they say nothing when it does.
_STOP_CHARACTERS = frozenset("的了吗呢吧啊呀么嘛是在有和与或及就也都还又把被给让请问哪谁啥咋怎几个")
_STOP_PAIRS = frozenset(
    "什么 怎么 怎样 如何 哪些 哪里 哪个 哪种 哪家 哪儿 多少 为何 为什 是否 能否 可否 有没 没有 请问 "
    "么样 么办 一下 可以 能不 不能 是不 有哪 有什 是什 是哪 是谁 是多 有多 多大 多久 多长 几个 几种".split()
)


def query_weight(term: str) -> float:
    """What a character or pair of a question is worth; 0 leaves it out."""
    if len(term) == 1:
        return 0.0 if term in _STOP_CHARACTERS else 1.0
    if len(term) > 2 or term in _STOP_PAIRS:
        return 0.0 if len(term) == 2 else 1.0
    stops = (term[0] in _STOP_CHARACTERS) + (term[1] in _STOP_CHARACTERS)
    return (1.0, 0.5, 0.0)[stops]
