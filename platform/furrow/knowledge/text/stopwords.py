"""Words that carry no content: dropped from the index in English, only from the query in Chinese."""

import re

ENGLISH_STOP_WORDS = frozenset(
    "a an and are as at be been being but by can could did do does doing for from had has have he "
    "her his how i if in into is it its me my of on or our she should so than that the their them "
    "then there these they this those to us was we were what when where which who whom whose why "
    "will with would you your am please".split()
)
# Words that shape a question more than they say what it is about.
_ENGLISH_WEAK_WORDS = frozenset(
    "much many long soon after before get got take takes need needed must may might make makes use one each "
    "every some any all also only still while until during under over per within about between happen "
    "happens want like give given go no not because up out down now more most less thing things way last lasts".split()
)
_WEAK_WORD_WEIGHT = 0.4
# Phrases that make a sentence a question or a request. They leave as a whole, before pairs are made:
# the pair across their edge (`费多` in `运费多少`) stands in no passage.
_ASKING = re.compile(
    "请问|麻烦|什么时候|什么时间|什么样|为什么|是什么|有什么|什么|多少钱|多少|多久|多长时间|怎么样|怎么办|怎么|怎样"
    "|如何|哪些|哪里|哪儿|哪个|哪种|哪位|为何|是否|能否|可否|有没有|能不能|是不是|可不可以|可以|一下|我想知道|想问|你们|我们"
    # What fills everyday speech, and stands in no rule or price list.
    "|的话|帮忙|帮我|东西|现在|大概|大约|应该|需要|如果|要是|的时候|告诉|想要|一共|总共|到底|究竟|具体|家里|自己|这个|那个"
)
# Particles: a passage rarely repeats them, and they say nothing when it does.
_STOP_CHARACTERS = frozenset(
    "的了吗呢吧啊呀么嘛是在有和与或及就也都还又把被给让请问哪谁啥咋怎几我你您"
)


def without_asking(folded: str) -> str:
    """The folded question with its asking phrases blanked."""
    return _ASKING.sub(" ", folded)


def query_weight(term: str) -> float:
    """What a character or pair of a question is worth; 0 leaves it out."""
    if term in _ENGLISH_WEAK_WORDS:
        return _WEAK_WORD_WEIGHT
    if len(term) > 2:
        return 1.0
    stops = sum(char in _STOP_CHARACTERS for char in term)
    if len(term) == 1:
        return 1.0 - stops
    return (1.0, 0.5, 0.0)[stops]
