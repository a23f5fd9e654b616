"""What a message is about and how it is said, by words: no model, the same answer every time, microseconds.

A topic decides who may answer (see `topics`), a mood and urgency only where a conversation stands in the queue.
"""

import re
from dataclasses import dataclass

from furrow.knowledge.text.folding import fold

TOPICS = ("complaint", "claim", "order", "shipping", "goods", "other")
MOODS = ("", "unhappy", "angry")
_MAX_LENGTH = 600


@dataclass(frozen=True)
class Signals:
    """`mood` is one of MOODS, mildest first; `topic` one of TOPICS."""

    topic: str
    mood: str
    is_urgent: bool


# The first that matches is the topic: who complains about a parcel complains.
_TOPIC_WORDS = {
    "complaint": (
        r"投诉|举报|差评|消协|12315|工商|市场监督|曝光|骗子|骗人|欺诈|黑店|态度(?:太|很|真)?差|起诉|维权"
        r"|\bcomplain\w*|\bscam\w*|\bfraud\w*|\bsue\b|\blawsuit|\bconsumer protection|\breport you\b"
        r"|\brude\b|\b(?:bad|terrible|one.star|negative) review"
    ),
    "claim": (
        r"坏果|坏了|烂了|烂的|腐烂|发霉|压坏|压烂|碰伤|破损|损坏|缺斤|少发|漏发|少了|短斤|不足斤|理赔|赔付|赔偿|赔多少|怎么赔"
        r"|赔(?:我|吗|不赔)|退款|退钱|退货|换货|补发|售后|质量问题|不新鲜|有虫|变质|不熟|太酸"
        r"|\brotten\b|\bmou?ld\w*|\bdamaged?\b|\bbroken\b|\bbruised?\b|\bspoil(?:ed|t)\b|\brefunds?\b|\breturn(?:s|ed|ing)?\b"
        r"|\breplacement|\bcompensat\w*|\bclaims?\b|\bmissing\b|\bshort weight|\bwent bad|\bgone bad|\bleaking\b"
    ),
    "order": (
        r"订单|我的货|我买的|我下的单|催单|催一下|改地址|换地址|地址(?:写|填)错|取消|到哪|物流|单号|快递(?:呢|到|单|信息)"
        r"|还没(?:发|到|收)|没(?:发货|收到)|什么时候(?:到|发)|签收|包裹"
        r"|\border(?:s|ed)?\b(?! to)|\btrack\w*|\bparcel|\bpackage\b|\bdeliver(?:ed|y) (?:status|date)|\bwhere(?:'s| is) my"
        r"|\bcancel\w*|\bchange (?:my|the) address|\bnot arrived|\bhasn'?t (?:arrived|shipped)|\bhaven'?t received"
    ),
    "shipping": (
        r"运费|包邮|邮费|发货|发什么快递|快递|几天(?:能)?到|多久(?:能)?到|冷链|偏远|新疆|西藏|发到|寄到|能寄|送货|配送"
        r"|\bshipp?(?:ing|ed|s)?\b|\bdeliver\w*|\bcourier|\bfreight|\bpostage"
    ),
    "goods": (
        r"多少钱|价格|几块|怎么卖|便宜|优惠|折扣|库存|有货|现货|还有(?:吗|没)|上市|什么时候有|几斤|规格|多重|多大|甜吗|甜度"
        r"|保存|存放|保质|冷藏|产地|品种|成熟"
        r"|\bprices?\b|\bhow much\b|\bcosts?\b|\bdiscount|\bin stock|\bavailable\b|\bseason\b|\bweigh\w*|\bsizes?\b"
        r"|\bstor(?:e|age|ing)\b|\bsweet\w*|\bvariet\w*|\bfresh\w*|\bkeep(?:s)? for"
    ),
}
_ANGRY = re.compile(
    r"垃圾|骗子|骗人|黑店|无良|坑人|恶心|气死|火大|愤怒|忍无可忍|什么玩意|滚|他妈|妈的|傻|有病|投诉你|举报|12315|曝光|差评"
    r"|太过分|不要脸|没完|到底管不管"
    r"|\bscam\w*|\bfraud\w*|\bliars?\b|\bthie(?:f|ves)\b|\bridiculous|\bunacceptable|\bdisgust\w*|\bfurious|\boutrag\w*"
    r"|\bworst\b|\bwtf\b|\bfuck\w*|\bshit\w*|\bbullshit|\bfed up\b|\brip.?off|\bsue you"
)
_UNHAPPY = re.compile(
    r"失望|不满意|不满|生气|无语|太慢|太差|很差|真差|糟糕|没人(?:管|理|回)|不理人|郁闷|难吃|后悔|坏了|烂了|烂的|发霉|还没(?:到|发|收)"
    r"|等了(?:好久|很久|半天|[一二三四五六七八九十\d]+[天周个])|催了|怎么回事|搞什么|太坑|又[是坏烂错]"
    r"|\bdisappoint\w*|\bunhappy\b|\bupset\b|\bannoy\w*|\bfrustrat\w*|\bterrible\b|\bawful\b|\bpoor (?:service|quality)"
    r"|\bnot (?:happy|satisfied|good enough|acceptable)|\bstill (?:not|haven'?t|waiting|nothing)|\bno ?(?:one|body) (?:answers|replies)"
    r"|\brotten\b|\bmou?ldy\b|\bagain\b.{0,12}\b(?:wrong|broken|bad)|\bwaiting for (?:days|weeks|ages)"
)
_URGENT = re.compile(
    r"急|马上|立刻|立即|赶紧|快点|尽快|今天(?:就|必须|要|之前)|现在就|来不及|过期|明天(?:就)?要|催"
    r"|\burgent\w*|\basap\b|\bimmediately|\bright (?:now|away)|\bhurry|\bquick(?:ly)?\b|\btoday\b.{0,20}\b(?:need|must)"
    r"|\b(?:need|must)\b.{0,24}\b(?:today|tonight|now|tomorrow)\b|\bemergency"
)
_NOT_URGENT = re.compile(r"不急|不着急|不用急|应急|\bno (?:rush|hurry)|\bnot urgent")
# "不错" and "没坏" are no complaints.
_DENIED = re.compile(
    r"(?:没有?|不是|不会|未)(?:坏|烂|破|发霉)|\bno (?:complaints?|problem)|\bnot (?:rotten|damaged|broken)"
)
_TOPICS = {topic: re.compile(words) for topic, words in _TOPIC_WORDS.items()}
_SHOUTING = re.compile(r"[!！]{3,}|[?？]{3,}")


def signals_of(text: str) -> Signals:
    folded = fold(text[:_MAX_LENGTH])
    said = _DENIED.sub(" ", folded)
    topic = next((name for name, words in _TOPICS.items() if words.search(said)), "other")
    mood = "angry" if _ANGRY.search(said) else "unhappy" if _UNHAPPY.search(said) else ""
    if _is_shouted(text):
        mood = "angry" if mood else "unhappy"
    is_urgent = bool(_URGENT.search(_NOT_URGENT.sub(" ", folded)))
    return Signals(topic, mood, is_urgent)


def _is_shouted(text: str) -> bool:
    letters = [char for char in text if char.isascii() and char.isalpha()]
    is_capital = len(letters) >= 12 and sum(map(str.isupper, letters)) > 0.8 * len(letters)
    return is_capital or bool(_SHOUTING.search(text))
