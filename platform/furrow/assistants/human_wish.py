"""Does this message ask for a person? Wide enough to always let one through, blind to mere mentions.

A wrong yes costs the team a ticket, a wrong no leaves a visitor with a machine; yet "客服几点上班" and
"fit for human consumption" are questions, and a question gets an answer.
"""

import re

from furrow.assistants.human_signs import ENOUGH, signs_of_wish
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
    # Whoever complains wants somebody to answer for it; how to complain is a question.
    r"(?:^|我要|我想|要|必须|准备|一定)(?:投诉|举报)(?:你们?|贵店|这家|店|商家|卖家|客服|快递|一下|了)*(?!.*(?:怎么|如何|流程|电话|渠道|方式|多少|多久|结果|几天|什么|哪|吗))",
    r"(?:找|叫|喊|换)(?:一?个|一位|你们)?(?:能|可以|会|说得上话)(?:管事|做主|作主|拍板|负责|处理|解决|说话|听懂)的",
    r"(?:找|叫|喊)(?:一?个|一位|你们)?(?:管事|做主|主事|说了算)的",
    r"(?:叫|喊|换|派)(?:一?个|一位|几个)?(?:真|活)?人(?:来|吧|啊|处理|帮忙|跟我|和我|了)*$",
    r"(?:^|能不能|可不可以|可以|麻烦|快|在吗|赶紧|请)(?:派|叫|喊)?来(?:一?个|一位)?(?:真|活)?(?:人|的)(?:吧|吗|啊|行不行|好不好|可以吗|处理|帮忙)*$",
    r"(?:不要|不想要|别用|别拿|少用|不想用|讨厌|别让)(?:你这个?|这个?)?(?:机器人|机器|自动回复|智能客服)(?!采摘|分拣|包装|种)",
    r"(?:机器人|机器|自动回复|智能客服)(?:根本|完全|都)?(?:听不懂|不懂|没用|答非所问|太笨|真笨|不行)",
    rf"(?:让|请|叫|安排|派)(?:一?个|一位|你们)?(?:的)?(?:售后|售后人员|{_STAFF_ZH}|人)(?:尽快|赶紧|马上)?(?:来)?(?:给|跟|和)?我?"
    r"(?:回|打)(?:一?个|一下)?(?:复|我|电话|话)",
    r"(?:给|跟)我(?:回|打)(?:一?个|一下)?电话",
    r"(?:没有?|怎么没|咋没|一直没|都没|还没)(?:真|活|个)*人(?:来|能)?(?:管|理|回复?|应|答应|处理|接待|搭理)(?:我|了|吗|么|吧|呢|一下)*$",
    r"^(?:人工|客服|真人){2,}$",
    rf"(?:叫|换|上|找|转|请|来)(?:一?个|一下)?(?:真的?|活的?)(?:{_STAFF_ZH}|人)",
    rf"(?:让|请|叫|派)(?:你们?(?:家|店|公司)?的?)?(?:人|售后|{_STAFF_ZH}).{{0,3}}(?:处理|找我|出来|解决|看看|看一下|跟进|说明|解释)",
    rf"(?:我要|我想|想|只|要|能不能|让我|可以).{{0,2}}(?:跟|和|与|同).{{0,5}}(?:人|{_STAFF_ZH})(?:直接)?(?:说|谈|聊|讲|沟通|反映)",
    r"不(?:想|愿|愿意|要)?(?:再)?(?:跟|和|与)(?:你这个?|这个?)?(?:机器人?|ai|程序|电脑)(?:再)?(?:说|谈|聊|讲|废话|扯)",
    r"(?:转|接|找|联系|叫)(?:一下|给|到)?(?:你们的?)?售后(?:客服|人员|部门)?(?!政策|规则|流程|时间|几点|电话|问题|范围|服务)",
    r"(?:有没有|有)(?:真|活)?人(?:来)?(?:管|理|负责|处理|应声|说话)",
    r"(?:出来|站出来)(?:说话|解决|处理|负责|回应)",
    r"(?:去|要|打|向|给|会|找|就)(?:12315|12345|消协|平台|工商局?|市场监管局?|抖音|淘宝|拼多多|京东|黑猫).{0,4}(?:投诉|举报|告|维权)",
    r"(?:投诉|举报|告)(?:死)?(?:你|你们)(?!怎么|如何|的?流程|电话)(?:家|店)*$",
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
    r"your team|sales ?person|advisor|adviser|colleague|boss|live chat|live support)"
)
_ANYBODY = (
    r"human|humans|person|people|someone|somebody|anyone|anybody|agent|operator|colleague|staff|team|manager|owner|boss|"
    r"supervisor|farmers?|growers?|seller|representative|rep|side"
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
    r"\b(?:want|need|wish|like|going|have|here) (?:to )?(?:make |file |lodge |raise |submit )?(?:an? )?(?:formal |official )?complain(?:t|ts)?\b"
    r"(?! (?:form|procedure|process|policy|number))",
    r"\b(?:am|i'm|we're) (?:complaining|filing|making|lodging)\b",
    r"\b(?:any ?one|any ?body|someone|somebody) (?:home|there|here|around|listening|to help|to talk)\b",
    r"\b(?:can|could|will|would|may) (?:an? |any |your |the )*(?:real |live |actual |human )*(?:person|human|staff|team|manager|owner|boss|"
    r"supervisor|agent|someone|somebody|anyone) (?:please )?(?:call|help|contact|phone|ring|answer|reply|respond|get back|talk|speak|look|handle|deal|take over)\b(?! .*\b(?:hours|times?|open))",
    r"\b(?:have|let|ask|tell|get) (?:an? |your |the )*(?:someone|somebody|person|staff|team|manager|owner|boss|supervisor|agent|human) (?:to )?"
    r"(?:call|contact|phone|ring|reply|email|e mail|message|get back|answer|write)\b",
    r"(?:^|\bplease |\bjust )(?:call|phone|ring) (?:me|us)(?: back)?(?: please| now| asap| today)*$",
    r"\bwho (?:can|could|do|should|may) i (?:talk|speak|complain|turn) to\b",
    r"\b(?:switch|move|bring|take) (?:me|us|this)(?: over)? to (?:an? |the |your )*(?:live|real|human)\b",
    r"\b(?:please )?escalate (?:this|it|me|my)\b",
    r"\b(?:stop|no more|enough of|tired of|sick of|hate|no)(?: \w+){0,3} (?:bots?|robots?|chat ?bots?|machines?|automated)\b(?! picked| harvest)",
    r"\b(?:bot|robot|chatbot|machine|ai) (?:is |are |does |do )?(?:so |completely |totally |really )?(?:useless|stupid|dumb|hopeless|no help|not helping|not working|rubbish)\b",
    rf"\b(?:have|get|ask|let|want|need|like|can|could|will)\b(?: \w+){{0,3}} (?:{_ANYBODY})(?: \w+){{0,4}} "
    r"(?:call|phone|ring|contact|look into|look at|handle|help|reply|respond|take over|step in|sort)\b",
    rf"\b(?:can|may|could|let|want|like|need|rather|prefer|must|anyone|someone|somebody)\b(?: \w+){{0,4}} (?:talk|speak|chat|talking|speaking) "
    rf"(?:directly )?(?:with|to)(?: \w+){{0,4}} (?:{_ANYBODY})\b",
    r"\b(?:anyone|anybody|someone|somebody|a person|a human)(?: that| whom?)? i (?:can|could|may) (?:talk|speak|chat|turn)\b",
    rf"\b(?:transfer|pass|hand|forward|escalate) (?:me|my|this|the|it)(?: \w+){{0,2}} (?:over )?(?:on )?to (?:an? |the |your |one of )*(?:{_ANYBODY})\b",
    r"\b(?:human|person|people|agent)\b,? (?:please )?(?:and )?(?:not|instead of|rather than) (?:an? |the |another |this )*(?:ai|bot|robot|machine|chatbot|computer)\b",
    r"\b(?:does|do|will|would) (?:an? |any |anyone|anybody|real )*(?:human|person|people)?(?: ever| even| actually)? (?:read|see|look at|answer|check) (?:this|these|it|here|my)\b",
    rf"\b(?:call|callback|reply|answer|response|word) from (?:an? |the |your |one of your )*(?:{_ANYBODY})\b",
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
    if _NO_ZH.search(chinese) or _NO_EN.search(english):
        return False
    if _WISH_ZH.search(chinese) or _WISH_EN.search(english):
        return True
    return max(signs_of_wish(chinese), signs_of_wish(english)) >= ENOUGH
