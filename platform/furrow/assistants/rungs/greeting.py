"""Small talk: a greeting, thanks, a goodbye. Answered without a search, and only when it is the whole message."""

import re

from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import LadderContext, Question, RungResult, answered, passed
from furrow.assistants.phrases import phrase
from furrow.knowledge.text.folding import fold

_END_ZH = r"(?:呀|啊|哦|呢|哈|啦|了|吧|嘞)*"
_KINDS = {
    "greeting": re.compile(
        rf"(?:(?:你好|您好|你们好|大家好|老板好|嗨|哈喽|哈啰|早上好|上午好|中午好|下午好|晚上好|早安|早){_END_ZH}"
        r"|在吗|在么|在不在|有人吗|hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|greetings|there|"
        r"are you there|anyone there"
        # What comes before a question is no question yet.
        r"|我?(?:想|要)?请?(?:问|咨询|打听)(?:一?下|个问题|个事|点事|件事)|请问|我?有(?:个|几个)问题"
        r"|(?:i have )?(?:an?|one|another)(?: quick)? question|quick question"
        r"|(?:can|may|could) i ask(?: you)?(?: something| an?(?: quick)? question)?| )+"
    ),
    "thanks": re.compile(
        rf"(?=.*(?:谢|辛苦|麻烦|than[kx]|thx|cheers))(?:(?:好的|好|嗯|ok)?(?:非常|太|十分|多)?(?:谢谢|感谢|多谢|谢啦|谢了|辛苦了|麻烦了)(?:你|您|你们|老板)?{_END_ZH}"
        r"|ok|okay|great|thanks?(?: you)?|thx|cheers|many|a lot|so much|very much|for your help|that helps| )+"
    ),
    "goodbye": re.compile(
        rf"(?:再见|拜拜|回头见|晚安|bye|goodbye|see you(?: later)?|good night|{_END_ZH}| )+"
    ),
    "acknowledged": re.compile(
        rf"(?:好的|好|行|嗯+|知道了|明白|明白了|了解|收到|可以了|没事了|没有了|ok|okay|got it|i see|"
        rf"alright|all right|great|perfect|understood|{_END_ZH}| )+"
    ),
}
_LONGEST = 40
_PUNCTUATION = re.compile(r"[^\w\s]+")


def small_talk(text: str) -> str:
    """`greeting`, `thanks`, `goodbye`, `acknowledged`, or empty when the message says more than that."""
    if len(text) > _LONGEST:
        return ""
    words = " ".join(_PUNCTUATION.sub(" ", fold(text)).split())
    if not words:
        return ""
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(words)), "")


class GreetingRung:
    """Says the assistant's greeting, or the fixed reply to thanks and goodbyes."""

    name = "greeting"

    def try_answer(
        self, question: Question, config: AssistantConfig, ctx: LadderContext
    ) -> RungResult:
        kind = small_talk(question.text)
        if not kind:
            return passed("not_small_talk")
        if kind == "greeting":
            return answered(
                config.greeting[question.language] or phrase("acknowledged", question.language)
            )
        return answered(phrase(kind, question.language))
