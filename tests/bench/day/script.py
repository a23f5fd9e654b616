"""Who writes to the demo shop on the simulated day, and what for. The same number of visits gives the same day.

A visitor knows what a right answer must hold: pieces of the shop's own price list, zones and orders. Whether they were
helped is judged by that, not by what the assistant thinks of itself.
"""

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from furrow.ops.demo.sources import SOURCES

SEED = 20251125
SITE = "https://shop.example"
# Of a hundred visits. Where-is-my-order and claims are what such shops hear most (docs/measurements.md names the day).
MIX = {
    "order": 20, "shipping": 15, "stock": 11, "claim": 10, "season": 9, "price": 9, "burst": 6, "typo": 6, "angry": 5,
    "chat": 4, "person": 3, "beyond": 2,
}  # fmt: skip
ENGLISH = 0.12
# Most people who were helped say nothing; so many press a thumb.
RATES = 0.4
# Of those who were not helped, so many ask for a person before they give up.
INSISTS = 0.75
_WEEK = ("paid", "shipped", "delivered", "completed")
_STATE = {
    "paid": ("正在备货", "being packed"), "shipped": ("已发货", "on its way"), "delivered": ("已签收", "delivered"),
    "completed": ("已完成", "completed"),
}  # fmt: skip
_GOODS = (
    ("脐橙大果", "large navel oranges", "HN-2025/A3"), ("血橙", "blood oranges", "HN-2025/A6"),
    ("年货大礼箱", "New Year hampers", "LH-2025/G4"), ("蜂蜜柚子茶", "honey pomelo tea", "JG-2025/J2"),
    ("黄桃罐头", "canned yellow peaches", "HT-2025/D4"), ("三红蜜柚", "triple-red honey pomelos", "MY-2025/B4"),
    ("黄心猕猴桃大果", "golden kiwis", "MH-2025/C3"), ("大粒板栗", "large fresh chestnuts", "BL-2025/E2"),
    ("橙意礼盒", "orange gift boxes", "LH-2025/G1"), ("冷榨脐橙汁", "cold-pressed orange juice", "JG-2025/J3"),
)  # fmt: skip
_PLACES = (
    ("北京", "Beijing", "12", "3-4"), ("上海", "Shanghai", "8", "2-3"), ("广州", "Guangzhou", "8", "2-3"),
    ("成都", "Chengdu", "12", "3-4"), ("沈阳", "Shenyang", "20", "4-6"), ("海口", "Haikou", "20", "4-6"),
)  # fmt: skip


@dataclass(frozen=True)
class Say:
    """One message. A right answer holds every piece of `expect`, of which `a|b` may be either; `waits` for it."""

    text: str
    expect: tuple[str, ...] = ()
    photos: int = 0
    waits: bool = True


@dataclass(frozen=True)
class Visit:
    """`wants_person` from the beginning; `is_beyond` has no right answer but "I do not know"."""

    number: int
    kind: str
    language: str
    says: tuple[Say, ...]
    at: float = 0.0
    rates: bool = False
    insists: bool = True
    wants_person: bool = False
    is_beyond: bool = False


def orders_of(visits: int) -> list[dict[str, Any]]:
    """An order for each visit; receivers are invented."""
    pick = random.Random(SEED)
    return [
        {
            "number": f"2610{at:04d}{pick.randrange(10**8):08d}", "phone_tail": f"{pick.randrange(10**4):04d}",
            "status": _WEEK[at % len(_WEEK)], "tracking_number": f"SF{1407700000000 + at}", "sku_code": "HN-2025/A3",
            "paid_amount": "69.90",
        }
        for at in range(visits)
    ]  # fmt: skip


def visits_of(count: int) -> list[Visit]:
    """The day, by time: `at` is the share of the day that has passed. One in ten comes with nine others at once."""
    pick = random.Random(SEED + count)
    weighted = [kind for kind, share in MIX.items() for _ in range(round(share * count / 100))]
    pick.shuffle(weighted)
    # However short the day, everything happens once.
    kinds = [*MIX, *_without_first(weighted), *["order"] * len(MIX)][:count]
    pick.shuffle(kinds)
    goods, orders = _price_list(), orders_of(count)
    made = []
    for number, kind in enumerate(kinds):
        language = "en" if pick.random() < ENGLISH else "zh"
        visit = _MAKERS[kind](Case(number, kind, language, pick, goods, orders[number]))
        at = 0.3 if pick.random() < 0.1 else pick.random()
        rates, insists = pick.random() < RATES, pick.random() < INSISTS
        made.append(replace(visit, at=at, rates=rates, insists=insists))
    return sorted(made, key=lambda visit: visit.at)


def _without_first(kinds: list[str]) -> list[str]:
    """Less the one of each that is there already."""
    seen: set[str] = set()
    return [kind for kind in kinds if kind in seen or seen.add(kind)]  # type: ignore[func-returns-value]


@dataclass(frozen=True)
class Case:
    number: int
    kind: str
    language: str
    pick: random.Random
    goods: dict[str, dict[str, str]]
    order: dict[str, Any]

    def either(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def visit(self, *says: Say, **more: Any) -> Visit:
        return Visit(self.number, self.kind, self.language, says, **more)


def _price_list() -> dict[str, dict[str, str]]:
    with (SOURCES / "orchard" / "products.csv").open(encoding="utf-8", newline="") as stream:
        return {row["code"]: row for row in csv.DictReader(stream)}


def _order(case: Case) -> Visit:
    number, tail = case.order["number"], case.order["phone_tail"]
    zh, en = _STATE[case.order["status"]]
    told = (case.either(zh, en),)
    if case.order["status"] == "shipped":
        told += (case.order["tracking_number"],)
    first = case.pick.choice(
        (case.either("我的订单到哪了", "Where is my order?"), case.either("帮我查下快递", "Can you track my parcel?"))
    )  # fmt: skip
    if case.number % 3 == 0:
        return case.visit(Say(f"{first} {number}", ()), Say(tail, told))
    return case.visit(
        Say(first), Say(case.either(f"单号{number} 尾号{tail}", f"Order {number}, phone ends with {tail}"), told)
    )  # fmt: skip


def _shipping(case: Case) -> Visit:
    zh, en, fee, days = case.pick.choice(_PLACES)
    dash = days.replace("-", "–")
    asked = (
        Say(case.either(f"发到{zh}运费多少", f"How much is shipping to {en}?"), (f"{fee}元|{fee}.00元|{fee} yuan|{fee}.00 yuan",)),
        Say(case.either(f"寄到{zh}要几天", f"How long does delivery to {en} take?"), (f"{days}|{dash}",)),
        Say(case.either("新疆能发货吗", "Do you deliver to Tibet?"), ("不发货|do not deliver",)),
        Say(case.either("一区满多少包邮", "When is shipping free?"), ("99",)),
    )  # fmt: skip
    first = case.number % 4
    return case.visit(asked[first], *([asked[(first + 1) % 2]] if case.pick.random() < 0.4 else []))


def _stock(case: Case) -> Visit:
    zh, en, code = case.pick.choice(_GOODS)
    words = case.pick.choice(((f"{zh}还有货吗", f"Are {en} in stock?"), (f"{zh}还剩多少", f"How many {en} are left?")))  # fmt: skip
    return case.visit(Say(case.either(*words), (case.goods[code]["stock"],)))


def _season(case: Case) -> Visit:
    zh, en, code = case.pick.choice(
        [each for each in _GOODS if "月" in case.goods[each[2]]["harvest_window"]]
    )
    month, day = case.goods[code]["harvest_window"].split("–")[0].rstrip("日").split("月")
    months = "January February March April May June July August September October November December".split()
    told = f"{month}月{day}日|{day} {months[int(month) - 1]}"
    words = (f"{zh}什么时候上市", f"When are {en} in season?")
    return case.visit(Say(case.either(*words), (told,)))


def _price(case: Case) -> Visit:
    zh, en, code = case.pick.choice(_GOODS)
    amount = case.goods[code]["unit_price"]
    words = case.pick.choice(((f"{zh}多少钱", f"How much are {en}?"), (f"请问{zh}怎么卖", f"What is the price of {en}?")))  # fmt: skip
    first = Say(case.either(*words), (f"{amount}|{amount.rstrip('0').rstrip('.')}",))
    if case.pick.random() < 0.3:
        return case.visit(first, Say(case.either("那怎么保存呢", "And how should I store them?")))
    return case.visit(first)


def _burst(case: Case) -> Visit:
    """Sent without waiting for an answer in between."""
    zh, en, code = case.pick.choice(_GOODS)
    place_zh, place_en, _fee, days = case.pick.choice(_PLACES)
    return case.visit(
        Say(case.either("在吗", "hello"), waits=False),
        Say(case.either("问一下", "a question"), waits=False),
        Say(case.either(f"{zh}多少钱", f"price of {en}?"), (case.goods[code]["unit_price"],), waits=False),
        Say(case.either(f"寄到{place_zh}几天", f"how many days to {place_en}?"), (f"{days}|{days.replace('-', '–')}",)),
    )  # fmt: skip


_TYPOS = (
    ("脐澄大果多少钱", ("69.90",)), ("黄心弥猴桃大果还有货嘛", ("214",)), ("qicheng大果 价格", ("69.90",)),
    ("請問臍橙大果多少錢", ("69.90",)), ("年货大礼相多少钱", ("198",)), ("HN2025A3多少钱", ("69.90",)),
    ("how mcuh are large navel oranges", ("69.90",)), ("蜂密柚子茶 几块", ("49.90",)), ("发到被京要几天", ("3-4|3–4",)),
    ("delivry to Beijing how many days", ("3-4|3–4",)),
)  # fmt: skip


def _typo(case: Case) -> Visit:
    text, told = _TYPOS[case.number % len(_TYPOS)]
    return case.visit(Say(text, told))


def _claim(case: Case) -> Visit:
    """Damaged goods with photos. The sum is the shop's rules' and a person's affair, so a person ends it."""
    number, tail = case.order["number"], case.order["phone_tail"]
    zh = f"收到的脐橙烂了{case.number % 5 + 1}个，订单{number}，尾号{tail}，一箱20个"
    en = f"{case.number % 5 + 1} of the 20 oranges in my box are rotten, order {number}, phone ends {tail}"
    return case.visit(Say(case.either(zh, en), photos=3 - case.number % 3), wants_person=True)


def _angry(case: Case) -> Visit:
    first = case.pick.choice(
        (("什么垃圾店，橙子全是烂的，退钱！！！", "This is a scam, everything was rotten, I want my money back!!!"),
         ("等了五天还没发货，气死了，投诉你们", "Five days and nothing, this is ridiculous, I will complain"))
    )  # fmt: skip
    return case.visit(
        Say(case.either(*first)),
        Say(case.either("转人工", "let me talk to a person")),
        wants_person=True,
    )


def _chat(case: Case) -> Visit:
    return case.visit(
        Say(case.either("你好呀", "Hi there")),
        Say(case.either("你是机器人吗", "Are you a robot?"), ("智能助手|assistant",)),
        Say(case.either("谢谢", "thanks")),
    )


def _person(case: Case) -> Visit:
    words = case.pick.choice((("我要找人工客服", "I want to speak to a human"), ("有真人吗", "talk to a person")))  # fmt: skip
    return case.visit(Say(case.either(*words)), wants_person=True)


def _beyond(case: Case) -> Visit:
    words = case.pick.choice((("你们老板今年多大了", "How old is your boss?"), ("附近哪家酒店便宜", "Which hotel nearby is cheap?")))  # fmt: skip
    return case.visit(Say(case.either(*words)), is_beyond=True)


_MAKERS: dict[str, Callable[[Case], Visit]] = {
    "order": _order, "shipping": _shipping, "stock": _stock, "season": _season, "price": _price, "burst": _burst,
    "typo": _typo, "claim": _claim, "angry": _angry, "chat": _chat, "person": _person, "beyond": _beyond,
}  # fmt: skip
