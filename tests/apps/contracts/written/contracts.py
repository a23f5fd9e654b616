"""Written contracts with their values filled in, and slips planted into them."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from apps.contracts.reading import ContractText
from furrow.knowledge.parsing.formats import plain_text
from furrow.knowledge.parsing.limits import ParseJob
from tests.apps.contracts.written import style_articles, style_numbers
from tests.apps.contracts.written.style_articles import BODIES as BODIES

_PLACES = "洛川县 眉县 雁塔区 礼泉县 商州区 延川县 周至县 临潼区".split()
_NAMES = "塬上果业 秦岭鲜果 渭北农产 长安优品 千河生态 鲜到家 沃野 青禾".split()
_FORMS = "有限公司 专业合作社 商贸有限公司 科技有限公司".split()
_CROPS = "苹果 猕猴桃 红枣 樱桃 石榴 核桃".split()
_BANK = "零壹贰叁肆伍陆柒捌玖"


@dataclass(frozen=True)
class Planted:
    """A slip: the checks that may report it."""

    name: str
    rules: frozenset[str]


def parsed(text: str, folder: Path) -> ContractText:
    """Through the platform's own reader, as an uploaded file would."""
    path = folder / "contract.txt"
    path.write_text(text, encoding="utf-8")
    return ContractText.from_parsed(plain_text.read(path, ParseJob(file_name="contract.txt")))


def in_bank_characters(value: int) -> str:
    """12300 as 壹万贰仟叁佰元整."""
    high, low = divmod(value, 10_000)
    words = f"{_section(high)}万" if high else ""
    if high and low and low < 1000:
        words += "零"
    return f"{words}{_section(low)}元整"


def _section(value: int) -> str:
    words, is_gap = "", False
    for unit, name in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit = value // unit % 10
        if digit:
            words += ("零" if is_gap and words else "") + _BANK[digit] + name
            is_gap = False
        else:
            is_gap = True
    return words


def contract_text(kind: str, seed: int, *, is_unseen: bool = False) -> str:
    """`is_unseen` writes it in the manner that only totals are looked at."""
    rng = random.Random(f"{kind} {seed}")
    style = style_numbers if is_unseen else style_articles
    title, a_role, b_role, subject, body, annex, annex_text = style.BODIES[kind]
    q1, q2, p1, p2 = (
        rng.randint(11, 49) * 10,
        rng.randint(11, 49) * 10,
        rng.randint(31, 89),
        rng.randint(12, 30),
    )
    total, rent, wage = q1 * p1 + q2 * p2, rng.randint(21, 99) * 100, rng.randint(41, 99) * 100
    first, second = rng.sample(_NAMES, 2)
    person = rng.choice(["王建军", "李秀兰", "张晓梅", "赵立平"])
    place = rng.choice(_PLACES)
    values = {
        "number": f"2025-{rng.randint(1, 400):03d}", "code": rng.randint(10**5, 10**6 - 1),
        "a": rng.choice(_PLACES) + first + rng.choice(_FORMS),
        "b": person if kind == "labour" else place + second + rng.choice(_FORMS),
        "a_role": a_role, "b_role": b_role, "crop": rng.choice(_CROPS), "court": place,
        "q1": q1, "q2": q2, "p1": p1, "p2": p2, "s1": f"{q1 * p1:,}", "s2": f"{q2 * p2:,}",
        "s1_words": in_bank_characters(q1 * p1), "total": f"{total:,}", "total_words": in_bank_characters(total),
        "share30": f"{total * 0.3:,.2f}", "deposit": f"{total // 10:,}", "deposit_words": in_bank_characters(total // 10),
        "rent": f"{rent:,}", "rent_year": f"{rent * 12:,}", "rent_year_words": in_bank_characters(rent * 12),
        "rent_two": f"{rent * 2:,}", "wage": f"{wage:,}", "wage_words": in_bank_characters(wage),
        "area": rng.randint(30, 200), "job": rng.choice(["分拣员", "会计", "客服", "库管员"]), "annex": annex, "annex_text": annex_text,
        **{f"n{place}": "零一二三四五六七八九十"[6 + place] if 6 + place <= 10 else "十一" for place in range(1, 6)},
    }  # fmt: skip
    values["title"], values["subject"] = title.format(**values), subject.format(**values)
    return (style.HEAD + body + style.TAIL).format(**values)


def _swap(pattern: str, new: str | Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, new, text, count=1)


def _other_digit(match: re.Match[str]) -> str:
    return match[0][:-1] + str((int(match[0][-1]) + 3) % 10)


def _before_disputes(sentence: str) -> Callable[[str], str]:
    """A paragraph of its own at the end of the clause on liability."""
    return _swap(r"(第七条 保密|7、保密|七、保密)", rf"{sentence}\n\1")


# Name, rules that may report it, and what is done to the text. One that changes nothing does not fit the contract.
DEFECTS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("line", "line_product table_total", _swap(r"\n(\S+\t(?:\S+\t)?)(\d+)(\t\d+\t[\d,]+\n)", lambda m: f"\n{m[1]}{int(m[2]) + 10}{m[3]}")),
    ("total row", "table_total price_differs amount_words", _swap(r"(合计\t+)(\d)", lambda m: f"{m[1]}{int(m[2]) % 9 + 1}")),
    ("words", "amount_words", _swap(r"(?<=大写：)[壹贰叁肆伍陆柒捌玖]", lambda m: "玖" if m[0] != "玖" else "捌")),
    ("digit product", "text_product amount_words", _swap(r"(?<=首批订货数量为)\d+", _other_digit)),
    ("share", "share_of_price", _swap(r"的30%，即", "的40%，即")),
    ("two months", "multiple", _swap("两个月租金", "三个月租金")),
    ("year's rent", "yearly_rent", _swap(r"月租金为\d", lambda m: f"月租金为{int(m[0][-1]) % 9 + 1}")),
    ("copies", "copies", _swap("一式两份", "一式五份")),
    ("term", "term_dates", _swap(r"为(?:两|三)年，自", "为五年，自")),
    ("months", "term_dates", _swap("共六个月", "共九个月")),
    ("reversed", "period_reversed term_dates", _swap(r"至20(?:27|28|25)年(\d+)月(\d+)日止", r"至2024年\1月\2日止")),
    ("no such day", "impossible_date", _swap(r"(签订日期：)2025年3月1日", r"\g<1>2025年2月30日")),
    ("signature", "signature_name", _swap(r"(?<=甲方（盖章）：)..", "华新")),
    ("account", "party_name", _swap(r"户名：(.)", "户名：新")),
    ("third party", "unknown_party", _before_disputes("丙方对上述债务承担连带责任。")),
    ("undefined", "undefined_term", _before_disputes("双方还应遵守“交易守则”的要求。")),
    ("unused", "unused_term", _before_disputes("“结算周期”是指每月1日至月末。")),
    ("reference", "dangling_reference", _swap(r"第[二四五三一]条(?=的|约定)", "第十九条")),
    ("annex", "missing_annex", _swap(r"\n附件一：[^\n]*\n[^\n]*\n", "\n")),
    ("second annex", "missing_annex", _before_disputes("其他要求详见附件三。")),
    ("blank", "blank", _swap(r"(应[^。\n]{0,12}?)\d+日", r"\1____日")),
    ("placeholder", "placeholder", _swap(r"开户行：\S{2}", "开户行：××")),
    ("both", "court_and_arbitration", _swap(r"向(\S{2,6})人民法院提起诉讼", r"可以向西安仲裁委员会申请仲裁，也可以向\1人民法院提起诉讼")),
    ("no body", "arbitration_body", _swap(r"向(\S{2,6})人民法院提起诉讼", "提交仲裁机构进行仲裁")),
    ("repealed", "repealed_law", _swap("《中华人民共和国民法典》", "《中华人民共和国合同法》")),
    ("interpretation", "final_interpretation", _before_disputes("本合同的最终解释权归甲方所有。")),
    ("exclusion", "void_exclusion", _before_disputes("履行中发生人身伤亡的，甲方概不负责。")),
    ("one side", "one_sided_change", _before_disputes("甲方有权单方变更本合同的内容。")),
    ("waiver", "right_waived", _before_disputes("乙方自愿放弃向甲方索赔的权利。")),
    ("deposit", "deposit_limit", _swap(r"(?<=支付定金)[\d,]+元", lambda m: "3" + m[0])),
    ("penalty", "penalty_limit", _swap(r"(总价|总额|金额)的\d+%(向乙方)?支付违约金", r"\1的60%\2支付违约金")),
    ("daily", "daily_penalty", _swap("万分之(?:五|三)", "百分之二")),
    ("interest", "loan_interest", _swap("年利率为6%", "年利率为36%")),
    ("in advance", "interest_in_advance", _before_disputes("首期利息1,000元在放款时预先扣除。")),
    ("long lease", "lease_term term_dates", _swap("租赁期限为两年，自2025年3月1日起至2027年2月28日止", "租赁期限为25年")),
    ("probation", "probation", _swap("试用期为三个月", "试用期为八个月")),
    ("probation wage", "probation_wage", _swap("约定工资的80%", "约定工资的60%")),
    ("worker pays", "employee_penalty", _before_disputes("乙方提前离职的，应向甲方支付一个月工资的违约金。")),
    ("insurance", "insurance_waived", _before_disputes("乙方自愿放弃社会保险，由甲方发放补贴。")),
    ("non-compete", "non_compete", _swap("竞业限制期限为12个月", "竞业限制期限为36个月")),
    ("hours", "working_hours", _swap("每日工作8小时", "每日工作11小时")),
    ("worker's deposit", "worker_deposit", _before_disputes("甲方入职时收取乙方服装押金500元。")),
)  # fmt: skip
# Two of one group would hide each other.
_CLASHES = ({"both", "no body"}, {"term", "reversed", "long lease"}, {"annex", "second annex"}, {"line", "total row", "words", "share", "digit product"})  # fmt: skip


# These would be no slip in a contract of another kind, or are none in this one.
_ONLY = {
    "worker pays": "labour",
    "insurance": "labour",
    "worker's deposit": "labour",
    "in advance": "loan",
}
_NEVER = {("labour", "both"), ("labour", "no body")}


def planted(kind: str, text: str, seed: int, count: int = 5) -> tuple[str, list[Planted]]:
    """The text with that many slips of different kinds."""
    rng = random.Random(seed)
    slips: list[Planted] = []
    for name, rules, change in rng.sample(DEFECTS, len(DEFECTS)):
        taken = {slip.name for slip in slips}
        if len(slips) == count:
            break
        if any(name in group and taken & group for group in _CLASHES):
            continue
        if _ONLY.get(name, kind) != kind or (kind, name) in _NEVER:
            continue
        changed = change(text)
        if changed != text:
            text = changed
            slips.append(Planted(name, frozenset(rules.split())))
    return text, slips
