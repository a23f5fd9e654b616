"""Does this message ask for a person? Wide enough to always let one through, blind to mere mentions.

A wrong yes costs the team a ticket, a wrong no leaves a visitor with a machine; yet "客服几点上班" and
"fit for human consumption" are questions, and a question gets an answer.
"""

import re

from furrow.knowledge.text.folding import fold

_STAFF_ZH = (
    r"(?:人工客服|人工服务|人工坐席|真人客服|在线客服|客服人员|客服专员|工作人员|专业人员|负责人|管理员|"
    r"值班人员|值班律师|服务员|接线员|客服|人工|真人|活人|老板娘|老板|店长|店主|店家|卖家|商家|掌柜|经理|"
    r"主管|律师|专员|专人|前台|同事|小二)"
)
# What follows makes it a question about the staff, or another word altogether.
_NOT_WISH_ZH = (
    r"(?!种植|养殖|授粉|采摘|挑选|分拣|智能|费|成本|合成|降雨|湖|草|电话|号码|微信|邮箱|几点|什么|时间|"
    r"上班|下班|费用|多少|价|照|系统|助手|的)"
)
_CHINESE = [
    rf"(?:转|换|接|切换到|接通|接入|呼叫|召唤){{1,2}}(?:一下|个|到|给|成|至)?(?:你们的?|贵店的?)?{_STAFF_ZH}{_NOT_WISH_ZH}",
    rf"(?:找|叫|喊|见|联系|联络|咨询)(?:一下|个|到|下)?(?:你们家?的?|你家的?|贵店的?|贵所的?)?{_STAFF_ZH}{_NOT_WISH_ZH}",
    r"(?:我要|我想|想要|需要|请|帮我|能不能|可以|麻烦)(?:直接)?(?:找|叫|转|换|接)(?:一?个|一下)?(?:真正的|活)?人"
    r"(?!家|民|参|工(?!客服|服务|$))",
    rf"(?:和|跟|与|同|让|请|叫|派|换)(?:一?个|一位|一下)?(?:你们的?|真正的)?(?:{_STAFF_ZH}|人)(?:来|直接)?"
    r"(?:说话|说|聊聊|聊天|聊|谈谈|谈|讲|沟通|对话|通话|回复我|答复我|回答我|联系我|接待|处理|打给我|帮我)",
    rf"(?:我要|我想要|我需要|给我|来个|来一个|要个|要|有没有|有|需要)(?:一?个|一位)?{_STAFF_ZH}(?:吗|么|嘛|在吗|在|吧|帮忙|帮助|服务|介入)?$",
    r"(?:人工|真人|客服|老板|店长|店主)(?:客服|服务)?(?:在不在|在吗|在么|呢|快来|出来|来一下|介入)",
    r"(?:不想|不要|不愿意?)(?:再)?(?:和|跟|与)(?:你这个?)?(?:机器人?|机器|ai|电脑)(?:说|聊|讲|谈|对话)",
    r"(?:有|还有)(?:没有)?(?:真?人|活人)(?:在|回答|回复|接待)?(?:吗|么|嘛|没有|不)",
]
_ALONE_ZH = re.compile(
    rf"(?:请|麻烦|帮我)?(?:人工|真人|客服|转|{_STAFF_ZH}|人工客服|人工服务|转人|找人|我要找人|我要人工)(?:吧|谢谢|一下|呢)?"
)
_NO_ZH = re.compile(
    r"(?:不用|不要|不必|别|不需要|无需|不想|先不)(?:再)?(?:帮我)?(?:转|找|叫|联系|换)"
)

_STAFF_EN = (
    r"(?:live |real |actual |human )*(?:human being|human|person|people|someone|somebody|agent|operator|"
    r"representative|rep|staff member|staff|employee|manager|owner|lawyer|attorney|supervisor|"
    r"customer service|customer support|customer care|support team|support|team member|member of staff|"
    r"your team|sales ?person|advisor|adviser|colleague)"
)
_ARTICLE = r"(?:an? |the |one of |some |your |any |to |with )*"
_ENGLISH = [
    rf"\b(?:talk|speak|chat|connect|transfer|put|pass|hand|forward|escalate|direct|switch|talking|speaking|"
    rf"chatting)\b(?: me| us| this| it| over| through| directly| live| now)* (?:to|with|through to|onto) "
    rf"{_ARTICLE}{_STAFF_EN}\b",
    rf"\b(?:get|give|find|call|fetch|bring|send)(?: me| us) {_ARTICLE}{_STAFF_EN}\b",
    rf"\b(?:want|need|prefer|like|request|requesting|demand) {_ARTICLE}"
    r"(?:(?:live|real|actual|human) )+(?:human|person|agent|operator|representative|being|support|help|rep)\b",
    rf"\b(?:want|need|prefer|would like) {_ARTICLE}(?:human|person|agent|operator|representative)\b",
    rf"\b(?:can|could|may) (?:i|we) (?:reach|contact|see|have) {_ARTICLE}{_STAFF_EN}\b",
    rf"\b(?:is|are) (?:there )?{_ARTICLE}(?:real |live |actual |human )*(?:human|person|people|someone|"
    r"somebody|anyone|anybody) (?:there|here|available|around|i can)\b",
    r"\b(?:can|could|will) (?:someone|somebody|a person|a human|anyone) (?:please )?"
    r"(?:call|help|contact|phone|answer|reply|get back|talk|speak)\b",
    r"\b(?:don'?t|do not) want (?:to )?(?:talk|speak|chat|a) ?(?:to |with )?(?:an? |the |this )*(?:bot|robot|"
    r"machine|computer|ai)\b",
    r"\b(?:human|person|agent|operator|representative),? (?:please|now)\b",
]
_ALONE_EN = re.compile(
    rf"(?:please )?(?:{_ARTICLE}{_STAFF_EN}|live chat|live support|human help|handoff|talk to us)"
    r"(?: please| now)*"
)
_NO_EN = re.compile(
    r"\b(?:don'?t|do not|no need to|never|not)(?: \w+){0,2} (?:talk|speak|transfer|connect|put me)\b"
    r"(?!.*\b(?:bot|robot|machine|computer|ai)\b)"
)
_WISH_ZH = re.compile("|".join(f"(?:{pattern})" for pattern in _CHINESE))
_WISH_EN = re.compile("|".join(f"(?:{pattern})" for pattern in _ENGLISH))
_PUNCTUATION = re.compile(r"[^\w\s']+")
_MAX_LENGTH = 400


def wants_person(text: str) -> bool:
    """True when the writer wants to reach a person rather than to know something."""
    folded = _PUNCTUATION.sub(" ", fold(text[:_MAX_LENGTH]))
    english = " ".join(folded.split())
    chinese = english.replace(" ", "")
    if _ALONE_ZH.fullmatch(chinese) or _ALONE_EN.fullmatch(english):
        return True
    if _WISH_ZH.search(chinese) and not _NO_ZH.search(chinese):
        return True
    return bool(_WISH_EN.search(english)) and not _NO_EN.search(english)
