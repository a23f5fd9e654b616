"""What a message wants to know, by rules in both languages. Wide enough for a shop's everyday questions, and blind to
what the tables do not hold: a discount, a wholesale price or a recipe is no fact of a row.
"""

import re
from dataclasses import dataclass

from furrow.knowledge.text.folding import fold

# Order matters: what is asked of one order comes before what is asked of the shop.
_PATTERNS: dict[str, str] = {
    "urge": (
        r"催(?:一下|下|单|发货|促|催)|尽快发|快点发|赶紧发|加急|能不能早点发|早点发货|什么时候给我发|怎么还不发|还没发货|还不发货"
        r"|hurry|send it (?:sooner|faster|asap)|ship (?:it|my order) (?:sooner|faster|asap|now)|speed up|still (?:not|hasn't) (?:been )?(?:shipped|sent)"
        r"|hasn't (?:been )?shipped"
    ),
    "address": (
        r"(?:改|换|修改|更改|变更)(?:一下|下)?(?:我的|收货|收件|个|订单)*(?:地址|收货人|电话)|地址(?:写|填|留)?错|地址(?:能|可以)?(?:改|换)"
        r"|(?:change|correct|update|edit) (?:my |the |our )?(?:shipping |delivery )?address|wrong (?:delivery |shipping )?address|different address"
    ),
    "order": (
        r"到哪(?:儿|里|了)|(?:我的?|我买的|这个|那个)(?:订单|快递|包裹|货|单子|东西)(?:在|到|呢|怎么|状态|发|现在|啥|什么)|查(?:一下|下|询)?(?:我的)?(?:快递|物流|订单|单号|包裹)"
        r"|物流(?:信息|单号|状态|进度|到)|快递单号|运单号(?:是|多少|发)|发货了(?:吗|没|么|嘛)|发出(?:来|去)?了(?:吗|没)|发了(?:吗|没)|订单(?:状态|进度|到)|怎么还没(?:到|收到)|还没收到"
        r"|where(?: is|'s| are) my|track(?:ing)?\b|order status|status of (?:my|the) order|has (?:my|the) (?:order|parcel|package)|have you (?:shipped|sent)"
        r"|(?:my|the) (?:order|parcel|package) (?:hasn't|has not|still)|when will my (?:order|parcel|package)"
    ),
    "claim_window": (
        r"(?:多久|几天|几个?小时|多长时间|多少小时|时限|期限|什么时候|最晚|还能|还可以)[^。？?]{0,14}(?:赔|售后|理赔|报损|报坏果|退款申请|索赔)"
        r"|(?:赔|售后|理赔|报损|坏果|索赔|坏了|烂了)[^。？?]{0,14}(?:多久|几天|几个?小时|多长时间|多少小时|时限|期限|最晚|截止|有效期)"
        r"|(?:how long|how many (?:hours|days)|time limit|deadline|within what time|until when|when)[^.?]{0,40}(?:claim|complain|report|refund|damage|rotten|spoil)"
        r"|(?:claim|complaint|damage|rotten)[^.?]{0,30}(?:how long|time limit|deadline|window|period)"
    ),
    "shipping_fee": (
        r"运费|邮费|快递费|包邮|免邮|邮寄费|(?:寄|发|送|邮)(?:到|去|往)?[^。？?，,]{0,8}(?:多少钱|要钱|收费|几块)"
        r"|shipping (?:fee|cost|charge|price|rate)|delivery (?:fee|cost|charge|price)|postage|(?:cost|charge)[^.?]{0,20}(?:to ship|to deliver|to send|shipping|delivery)"
        r"|free (?:shipping|delivery)|(?:shipping|delivery) (?:is )?free|how much (?:is|for|does|to)(?: it cost)?[^.?]{0,12}(?:shipping|delivery|ship|deliver|send)"
    ),
    "shipping_time": (
        r"(?:寄|发|送|邮|运|快递|路上|到|物流)[^。？?，,]{0,10}(?:几天|多久|多少天|多长时间)|(?:几天|多久|多少天|多长时间)[^。？?，,]{0,6}(?:能|可以|会)?(?:到|送达|收到|收货)"
        r"|how (?:long|many days)[^.?]{0,30}(?:deliver|ship|arriv|to (?:get|reach)|take)|delivery time|shipping time|when (?:would|will|does) it arrive"
    ),
    "served": (
        r"(?:能|可以|可不可以|能不能|可否|支持|会)(?:不能)?[^。？?，,]{0,4}(?:发货|发|寄|送|邮|配送|快递)(?:货)?(?:到|去|往|吗)?|(?:发|寄|送|邮|配送)(?:货)?(?:到|去|往)?[^。？?，,]{0,8}(?:吗|么|嘛|不发|不送|不寄)|发不发|送不送|寄不寄|邮不邮|(?:发货|配送)(?:吗|范围)"
        r"|(?:do|can|could|will|would) you (?:also )?(?:ship|deliver|send|post)|(?:ship|deliver|delivery|shipping) to|possible to (?:ship|deliver|send)"
    ),
    "storage": (
        r"(?:怎么|如何|怎样|咋)(?:样)?(?:保存|储存|存放|放|保鲜|贮藏|收)|保存|储存|存放|保鲜|保质期|(?:能|可以|可)(?:放|存|保存)[^。？?，,]{0,4}(?:多久|几天|多长)|放(?:多久|几天)|(?:放|要放|用放|需要)(?:冰箱|冷藏|冷冻)|冷藏吗|常温"
        r"|(?:how|where) (?:should|do|can|to|must)(?: i| we)? (?:store|keep)|stor(?:e|age|ing)\b|shelf life|how long (?:do|does|will|can)[^.?]{0,60}(?:keep|last|stay fresh|be kept)|(?:keep|put|stay)[^.?]{0,20}(?:fridge|refrigerator|fresh)"
        r"|refrigerat"
    ),
    "season": (
        r"(?:什么时候|几月|哪个月|何时|啥时候|多会儿)[^。？?，,]{0,10}(?:上市|成熟|熟|采|摘|有货|有|下来|上|卖|开始|结束|季|出|能买|能吃)|(?:上市|成熟|采收|采摘|当季|应季|产季|季节|下市|过季)|现在有(?:没有)?[^。？?]{0,8}(?:吗|么)$|几月份|季(?:吗|了)"
        r"|in season|season\b|when (?:are|is|do|does|can|will)[^.?]{0,40}(?:harvest|picked|ripe|available|ready|start|end|on sale|buy)|which months?|harvest"
    ),
    "stock": (
        r"库存|有货|还有(?:没有)?(?:货|多少|几)|有没有货|现货|缺货|断货|卖完|售罄|(?:还)?剩(?:下)?(?:多少|几)|还能(?:买|下单|拍)|还有(?:吗|么|卖)?"
        r"|in stock|out of stock|stock\b|(?:still )?available|how many[^.?]{0,40}(?:left|have|stock|remain)|sold out|any[^.?]{0,30}left"
    ),
    "weight": (
        r"净重|(?:多重|多少斤|多少公斤|几斤|几公斤|多少kg|有多重)"
        r"|net weight|how heavy|how many (?:kilos|kg|kilograms)|what[^.?]{0,20}weigh|how much does[^.?]{0,40}weigh"
    ),
    "price": (
        r"(?:多少|几)(?:钱|元|块)|价格|价钱|单价|零售价|售价|怎么卖|卖多少|啥价|什么价|价位|报价|咋卖|贵不贵"
        r"|how much|price|what (?:does|do|would)[^.?]{0,40}cost|cost of|how expensive|charge for|\bcosts?\b"
    ),
    "dispatch": (
        r"(?:几点|什么时候|多久|何时|当天|今天)[^。？?，,]{0,10}(?:发货|截单|发出|寄出)|(?:发货|截单)(?:时间|几点)|(?:下单|付款)[^。？?]{0,8}(?:多久|几天|什么时候|几点)[^。？?]{0,4}发"
        r"|cut-?off|(?:when|how soon|same day)[^.?]{0,40}(?:dispatch|sent|ship|leave)|dispatch time"
    ),
    "returns": (
        r"(?:能|可以|支持|可不可以)(?:不能)?[^。？?，,]{0,4}(?:退货|退换|无理由)|七天无理由|7天无理由|退货(?:政策|规则|吗|条件)"
        r"|return policy|(?:can|may) i return|returns?\b"
    ),
    "invoice": r"发票|开票|invoice|receipt for tax|vat",
    "pickup": r"自提|上门(?:取|拿)|到店(?:取|拿)|自己(?:来|去)(?:取|拿)|pick (?:it |them |my order )?up|collect (?:it|my order|in person)",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _PATTERNS.items()}
# Not what the rows hold, whatever else the words look like.
_BEYOND = re.compile(
    r"批发|团购|代理|进货|优惠|打折|折扣|便宜(?:点|些|一点)|活动价|砍价|会员价|拼团价|去年|前年|明年|历史(?:最低)?价|热量|卡路里|营养|农药|甜不甜|股|利润|成本|工资|租"
    r"|wholesale|bulk|discount|coupon|cheaper|last year|next year|calorie|nutrition|pesticide|profit|salary|competitor|rent\b"
)
# A follow-up with a noun of its own: "那苹果呢", "what about apples".
NAMES_OTHER = re.compile(r"那|呢$|what about|how about|and the ")
# A place that is asked for by name, in the writer's own letters.
_PLACE_ZH = re.compile(
    r"(?:寄|发|送|邮|运)(?:到|去|往)(?!货|快递|我|你|家|这|那|哪|需|要|的|多|几|一)[\u3400-\u9fff]{2,}"
)
_PLACE_EN = re.compile(r"\bto (?:the )?[A-Z][a-z]{2,}")
_CLAUSE = re.compile(r"[，,。？?；;！!]|\band\b")
# Asked of one order or one claim, these leave no room for another question.
_ALONE = ("address", "urge", "order", "claim_window")
_POLICIES = ("dispatch", "returns", "invoice", "pickup")


@dataclass(frozen=True)
class Wanted:
    """What is asked, in the order in which it is answered."""

    intents: tuple[str, ...]
    is_beyond: bool


def wanted(text: str) -> Wanted:
    """Of the whole and of each clause: two questions in one message are both meant."""
    folded = " ".join(fold(text).split())
    found = _sorted_out(_found(folded))
    if not set(found) & set(_ALONE):
        for clause in _CLAUSE.split(folded):
            found += [name for name in _sorted_out(_found(clause)) if name not in _ALONE]
    ordered = [name for name in _COMPILED if name in found]
    return Wanted(tuple(ordered), bool(_BEYOND.search(folded)))


def _found(text: str) -> list[str]:
    return [name for name, pattern in _COMPILED.items() if pattern.search(text)]


# Where both are found, the first is meant and the others are only its words.
_NARROWER: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (frozenset({"shipping_fee"}), frozenset({"price", "served"})),
    (frozenset({"shipping_time"}), frozenset({"served", "dispatch"})),
    (frozenset({"storage"}), frozenset({"stock", "shipping_time", "season"})),
    (frozenset({"weight"}), frozenset({"price"})),
    (frozenset({"season"}), frozenset({"stock"})),
    (frozenset({"dispatch"}), frozenset({"served", "season"})),
    (frozenset({"invoice", "returns", "pickup"}), frozenset({"served", "price", "stock"})),
)


def _sorted_out(found: list[str]) -> list[str]:
    """Words that serve two questions are given to the narrower one."""
    for alone in _ALONE:
        if alone in found:
            return [alone]
    left = set(found)
    for meant, others in _NARROWER:
        if left & meant:
            left -= others
    return [name for name in found if name in left]


def is_policy(intent: str) -> bool:
    return intent in _POLICIES


def names_place(text: str) -> bool:
    """Whether somewhere is named, known to us or not."""
    return bool(_PLACE_ZH.search(text) or _PLACE_EN.search(text))
