"""The wish for a person by what a message holds, where no known wording fits: somebody named, a wish, a way to talk.

Each sign has a weight and a wish is their sum; what is said of goods, prices and hours counts against it. "Can the
owner end the lease" names somebody and asks, but wants no word with them.
"""

import re

ENOUGH = 4
_MAX_LENGTH = 160
_Weighted = tuple[int, re.Pattern[str]]


def _sign(weight: int, *words: str) -> _Weighted:
    return weight, re.compile("|".join(words))


# The heaviest of these counts once: somebody must be meant at all.
_SOMEBODY = (
    _sign(
        2,
        r"真的人|(?:说得?上话|管事|做主|说了算)的|人工(?!智能|湖|种|养|授粉|采|挑|分|费)|真人|活人|客服|店家|掌柜|小二",
        r"\bhumans?\b(?! (?:consumption|rights|resources))|\b(?:real|actual|live) (?:person|people|agent|being)\b|\brepresentatives?\b"
        r"|\bcustomer (?:service|care|support)\b|\bsupport (?:team|staff)\b",
    ),
    _sign(
        1,
        r"老板|店主|店长|经理|领导|主管|师傅|负责|管事|做主|工作人员|专员|同事|售后(?!政策|规则|流程|时间|范围|期)|你们的?人|有人|(?:要|找|派|叫|请|让|换|来)(?:一?个|一位)?人"
        r"|没有?人|专人|销售|业务员|那位|谁(?:负责|管|来)|人(?:来)?(?:说|处理|解决|跟进|联系|接)|(?:打|回)(?:个)?电话给我",
        r"\b(?:owner|manager|boss|supervisor|staff|colleagues?|team|farmers?|growers?|in charge|responsible|employee|agent|operator"
        r"|someone|somebody|anyone|anybody|no ?body|no ?one)\b|(?<!in )\bperson\b|\byour (?:people|side)\b|\bwhoever\b|\bsomeone real\b|\bseller\b|\b(?:phone )?call with\b",
    ),
)
_SIGNS = (
    # A wish or an order.
    _sign(
        2,
        r"我要|我想|想要|需要|给我|帮我|帮忙|麻烦|能不能|能否|可不可以|可以|请|让|叫|找|转|换|派|安排|必须|赶紧|快",
        r"\b(?:want|need|could|can|would|will|please|let|put|bring|get|give|find|send|connect|transfer|prefer|rather|must|demand|insist|ask)\b"
        r"|\b(?:i'd|would) like\b",
    ),
    # A way to talk with the writer.
    _sign(
        2,
        r"(?:联系|回复|答复|回|打给|告诉|跟|和|与|帮|接待|对接|找|理)(?:一下)?我(?:们)?|(?:跟|和|与|同|向).{1,8}(?:说|讲|谈|聊|反映|沟通|对话|投诉|理论)"
        r"|来(?:说|谈|讲|处理|解决|回|管)|问问|说话|(?:人|客服)(?:工)?(?:回|接|管|理|应)|当面|打电话给|通电话|通话|说句话|跟进|出面|出来|介入|接手|对接",
        r"\bhear from\b|\bon the (?:line|phone)\b|\bhave a chat\b|\b(?:talk|speak|chat|discuss|talking|speaking|word|conversation|deal|dealing)\b (?:\w+ ){0,2}(?:with|to)\b|\b(?:contact|call|phone|ring|help"
        r"|email|message|text|answer|connect|assist|tell) (?:me|us)\b|\b(?:reply|respond|write|get back|explain) to (?:me|us|my|this)\b"
        r"|\b(?:look|looks) (?:at|into) (?:my|this|it)\b|\b(?:handle|review|take over|step in|sort)\b|\bput .{0,20}\b(?:on|through)\b|\bin person\b",
    ),
    # Is somebody there?
    _sign(
        3,
        r"在不在|在吗|在么|在线吗|在没|有没有(?:真|活)?人(?!买|吃|说)|人呢|死哪|没人(?:管|理|回|应)|都?没有(?:人工|真人|客服)",
        r"\b(?:is|are) (?:there )?(?:any|some|a|an|the|your|any real|no)?\b.{0,24}\b(?:there|here|around|online|available|working|awake|listening)\b"
        r"|\bis (?:any|no|some)(?: ?one| ?body) (?:there|here|around|home|online|available)\b|\b(?:someone|something) real\b|\bhello+\b.{0,10}\banyone\b|\b(?:no ?one|nobody) (?:answers|replies|responds|helps|cares)\b",
    ),
    # Enough of the machine.
    _sign(
        3,
        r"机器|自动回复|人机|敷衍|糊弄|废话|没意思|没用|听不懂|答非所问|沟通不了|真的服|别绕|绕圈|智障|投诉",
        r"\b(?:bots?|robots?|chat ?bots?|automated|auto.?reply|software|computer program|going nowhere|in circles|enough|useless|pointless|complain\w*|nonsense)\b",
    ),
    # Facts about goods and hours.
    _sign(
        -4,
        r"(?:怎么|如何|怎样)(?:投诉|联系)|(?:客服|老板|人工)的?(?:微信|电话|号)|推荐|几点|多少|价格|价钱|多久|号码|电话是|微信是|好吃|能吃|吃得|几斤|几箱|礼盒|品种|采摘|分拣|挑选|种植|保存|甜不甜|甜吗|签收|驿站|上班|下班|人手"
        r"|哪个|哪种|是不是|送人|送给|运费|发货",
        r"\bhow (?:many|much|long|heavy|big)\b|\bbox(?:es)?\b|\bgift|\beat\b|\bhours\b|\bopen(?:ing)?\b|\bprices?\b|\bcosts?\b|\bwhich\b|\bkg\b|\bparcel"
        r"|\bhow (?:do|can|to|should) (?:i |we )?complain|\bdeliver\w*\b|\bpick(?:ed|ing)?\b|\bwhen (?:is|are|do|does)\b|\bweekends?\b|\bfeed\b|\ballerg\w*|\bsign for\b|\bprocedure|\bpolicy\b|\bnumber\b",
    ),
)


def signs_of_wish(text: str) -> int:
    """`text` is folded, its punctuation gone. 0 where nobody is meant."""
    if len(text) > _MAX_LENGTH:
        return 0
    somebody = next((weight for weight, words in _SOMEBODY if words.search(text)), 0)
    if not somebody:
        return 0
    return somebody + sum(weight for weight, words in _SIGNS if words.search(text))
