"""The engine's steps in words for staff and customers, in both languages. Every figure comes from the step."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.support.claiming.rules import Step

_STEPS: dict[str, tuple[str, str]] = {
    "rule": ("适用规则：{zh}。", "Rule: {en}."),
    "no_rule": (
        "店里还没有“{reason}”的规则，由工作人员决定。",
        "The house has no rule for “{reason}” yet; a person decides.",
    ),
    "excluded": ("不在赔付范围：{what}。", "Not covered: {what}."),
    "nothing_due": ("按规则，这种情况不赔付。", "By the rule nothing is due in this case."),
    "in_time": (
        "在{hours}小时的时限内提出（截止{end}）。",
        "Reported within the {hours} hours (until {end}).",
    ),
    "too_late": (
        "超过了{hours}小时的时限：截止{end}，提出于{reported}。",
        "Later than the {hours} hours: until {end}, reported {reported}.",
    ),
    "needs": ("还需要：{what}。", "Still needed: {what}."),
    "weight_share": (
        "坏果{bad}公斤，净重{net}公斤。",
        "{bad} kg of {net} kg net weight are bad.",
    ),
    "count_share": ("{total}个中坏了{bad}个。", "{bad} of {total} pieces are bad."),
    "short_weight": (
        "应有净重{net}公斤，收到{got}公斤。",
        "{net} kg net weight were due, {got} kg came.",
    ),
    "within_tolerance": (
        "占{share}%，在{limit}%的正常范围内，不赔付。",
        "That is {share} %, within the normal {limit} %: nothing is due.",
    ),
    "excess": (
        "只赔超出正常{limit}%的部分：{share}%。",
        "Only what exceeds the normal {limit} % counts: {share} %.",
    ),
    "product": ("比例×实付{paid}元＝{goods}元。", "That share of the {paid} yuan paid is {goods}."),
    "full_from": (
        "达到{limit}%，全额退款{paid}元，连同运费{freight}元。",
        "From {limit} % on everything is paid back: {paid} yuan and {freight} yuan freight.",
    ),
    "full": (
        "全额退款{paid}元，运费退{freight}元。",
        "Everything is paid back: {paid} yuan and {freight} yuan freight.",
    ),
    "percent": ("实付{paid}元的{percent}%＝{goods}元。", "{percent} % of {paid} yuan is {goods}."),
    "sugar": (
        "糖度{sugar}，承诺{promised}，低{steps}级，每级{percent}%：{goods}元。",
        "Sugar {sugar}, promised {promised}: {steps} steps of {percent} % are {goods} yuan.",
    ),
    "sweet_enough": (
        "糖度{sugar}，不低于承诺的{promised}，不赔付。",
        "Sugar {sugar} is not below the promised {promised}: nothing is due.",
    ),
    "not_late_enough": (
        "晚到{days}天，没有超过{limit}天，不赔付。",
        "{days} days late, not more than {limit}: nothing is due.",
    ),
    "cap_share": (
        "规则最多赔实付的{percent}%，即{cap}元。",
        "The rule pays at most {percent} % of the price: {cap} yuan.",
    ),
    "cap_amount": ("规则最多赔{cap}元。", "The rule pays at most {cap} yuan."),
    "left": (
        "已退{given}元，最多还能退{left}元。",
        "{given} yuan were given back already; at most {left} are left.",
    ),
    "doubtful_photo": (
        "照片有疑点，由工作人员决定。",
        "Something about the photos is doubtful; a person decides.",
    ),
    "above_limit": (
        "{total}元超过{limit}元，需要人工批准。",
        "{total} yuan are above {limit}; a person has to approve.",
    ),
    "below_limit": (
        "{total}元不超过{limit}元，按规则直接同意。",
        "{total} yuan are not above {limit}; the rule approves by itself.",
    ),
}
WORDS: dict[str, tuple[str, str]] = {
    "photo:label": ("快递面单的照片", "a photo of the shipping label"),
    "photo:box": ("开箱后整箱的照片", "a photo of the whole open box"),
    "photo:goods": ("全部坏果放在一起的照片", "a photo of all bad fruit together"),
    "photo:cut": ("切开断面的照片", "a photo of the fruit cut open"),
    "photo:ice": ("冰袋的照片", "a photo of the ice packs"),
    "photo:scale": ("上秤的照片", "a photo on the scale"),
    "delivered_at": ("签收时间", "the time of delivery"),
    "paid": ("实付金额", "the amount paid"),
    "net_kg": ("商品净重", "the net weight"),
    "bad_kg": ("坏果重量", "the weight of the bad fruit"),
    "received_kg": ("收到的重量", "the weight received"),
    "bad_count": ("坏果个数", "how many are bad"),
    "total_count": ("总个数", "how many there were"),
    "sugar": ("糖度", "the sugar reading"),
    "days_late": ("晚到天数", "how many days late it came"),
    "forwarded": ("买家转寄或改派", "the buyer sent it on"),
    "stored_badly": ("存放不当", "it was stored badly"),
    "natural_trait": ("商品页写明的自然特征", "a natural trait told on the product page"),
    "own_risk": ("买家书面同意自担风险", "sent at the buyer's own risk, agreed in writing"),
    "edited_photo": ("照片经过修改或重复使用", "photos were edited or used before"),
    "gift": ("赠品或试吃装", "a gift or a sample"),
    "clearance": ("清仓商品", "clearance goods"),
    "no_reason_refusal": ("无正当理由拒收", "refused at the door without a reason"),
    "refrozen": ("解冻后再冻", "thawed and frozen again"),
    "within_season_pause": ("停发期内坚持发货", "sent during the winter pause on request"),
    "spoiled": ("坏果或破损", "spoiled or broken"),
    "short_weight": ("重量不足", "too light"),
    "missing": ("少件", "pieces missing"),
    "wrong_item": ("发错货", "wrong goods"),
    "not_ripening": ("催不熟", "does not ripen"),
    "not_sweet": ("糖度不足", "not sweet enough"),
    "late": ("送达超时", "came too late"),
    "lost": ("丢件", "parcel lost"),
    "refused": ("拒收", "refused at the door"),
    "taste": ("口味或外观", "taste or looks"),
}


def explained(steps: Iterable[Step | Mapping[str, Any]], language: str) -> list[str]:
    """One sentence for each step, as engine values or as they were stored."""
    sentences = []
    for step in steps:
        code, values = (
            (step.code, step.values) if isinstance(step, Step) else (step["code"], step["values"])
        )
        texts = _STEPS[code]
        shown = {name: _shown(name, value, language) for name, value in values.items()}
        sentences.append(texts[0 if language == "zh" else 1].format(**shown))
    return sentences


def words(codes: Iterable[str], language: str) -> str:
    at = 0 if language == "zh" else 1
    return ("、" if language == "zh" else ", ").join(WORDS.get(c, (c, c))[at] for c in codes)


def _shown(name: str, value: str, language: str) -> str:
    if name in {"end", "reported"}:
        moment = timezone.localtime(datetime.fromisoformat(value))
        return f"{moment:%Y-%m-%d %H:%M}"
    return words(value.split(","), language) if name in {"what", "reason"} else value
