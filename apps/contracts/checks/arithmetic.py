"""Sums that must agree: lines, totals, shares, multiples, copies."""

import re
from collections.abc import Iterator
from decimal import Decimal

from apps.contracts.checks.facts import TOTAL, labelled, sentences, shown, total_of
from apps.contracts.checks.finding import Hit
from apps.contracts.reading import Contract, Paragraph
from apps.contracts.reading.amounts import Amount, number
from apps.contracts.reading.numerals import NUMBER_CHARS, whole

_CENT = Decimal("0.01")
_QUANTITY = re.compile(r"数量|重量|面积|工时|人天|人日|份数|台数|件数|Quantity|Qty", re.IGNORECASE)
_PRICE = re.compile(r"单价|价格|Unit price|Rate", re.IGNORECASE)
_SUM = re.compile(r"金额|小计|总价|合计|价款|费用|Amount|Total", re.IGNORECASE)
# For how long the price of a line is paid, where the table says so.
_TIMES = re.compile(r"年限|年数|月数|期数|天数|日数")
_REGULAR = re.compile(r"[/／](?:月|年|季)|每[月年季]|月租|月付")
_PRICE_FIRST = re.compile(
    r"每(?P<per>亩|平方米|㎡|吨|公斤|千克|箱|台|人)[^。；;\d]{0,8}(?P<p>\d[\d,]*(?:\.\d+)?)\s*元[，,、]\s*(?P<q>\d[\d,]*(?:\.\d+)?)\s*"
    r"(?P<u>亩|平方米|㎡|吨|公斤|千克|箱|台|人)(?:共计|合计|总计|共|计)[^。；;\d]{0,8}(?P<s>\d[\d,]*(?:\.\d+)?)\s*元"
)
_TOTAL_ROW = re.compile(r"^\s*(?:合\s*计|总\s*计|共\s*计|合计金额|总价|Total)", re.IGNORECASE)
_SHARE = re.compile(
    r"(?P<base>总价款?|总额|总金额|价款|合同价|金额|费用总额|总费用|服务费)[^，,。；;]{0,6}?的?\s*(?P<p>\d+(?:\.\d+)?)\s*%[^。；;]{0,16}?(?:即|计|为|合|共)"
)
_MULTIPLE = re.compile(
    rf"(?P<n>\d+|[{NUMBER_CHARS}]{{1,3}})\s*个月(?:的)?(?P<base>租金|工资|服务费|物业费)[^。；;\d]{{0,14}}?(?:即|计|合计|共计|为|（|\()"
)
_MONTHLY = {
    "租金": r"(?<!个)(?:每月|月)(?:基本)?租金(?:标准)?|租金(?:标准)?为?每月",
    "工资": r"(?<!个)月(?:基本)?工资(?:标准)?|工资(?:标准)?为?每月|每月工资",
    "服务费": r"(?<!个)(?:每月|月)服务费(?:标准)?|服务费(?:标准)?为?每月",
    "物业费": r"(?<!个)(?:每月|月)物业费",
}
_COPIES = re.compile(
    rf"(?:一\s*式|正本)\s*(?P<all>[{NUMBER_CHARS}\d]{{1,2}})\s*份(?P<rest>[^。]{{0,80}})"
)
_EACH = re.compile(
    rf"(?P<each>各|均)\s*(?:执|持|存|保留|留存|备案)?\s*(?P<n>[{NUMBER_CHARS}\d]{{1,2}})\s*份"
)
_ONE = re.compile(
    rf"(?:执|持|存|保留|留存|备案|报|交)[^，,、。各]{{0,8}}?(?P<n>[{NUMBER_CHARS}\d]{{1,2}})\s*份"
)


def line_products(contract: Contract) -> Iterator[Hit]:
    """Quantity times price against the amount of each line."""
    for row in _rows(contract):
        quantity, price, amount = (_cell(row, p) for p in (_QUANTITY, _PRICE, _SUM))
        if quantity is None or price is None or amount is None or _is_total(row):
            continue
        right = quantity * price * (_cell(row, _TIMES) or 1) * _scale(row)
        if abs(right - amount) > max(_CENT, abs(right) * Decimal("0.0005")):
            values = {"right": shown(right), "written": shown(amount)}
            yield Hit(row.start, row.end, values, confidence=0.95)


def table_totals(contract: Contract) -> Iterator[Hit]:
    """The total row against the sum of the lines above it."""
    for rows, total in _tables(contract):
        amounts = [_cell(row, _SUM) for row in rows]
        if len(rows) < 2 or any(amount is None for amount in amounts):
            continue
        right = sum((a for a in amounts if a is not None), Decimal(0))
        written = _last_number(total)
        if written is not None and abs(right - written) > _CENT:
            values = {"right": shown(right), "written": shown(written)}
            yield Hit(total.start, total.end, values, confidence=0.95)


def totals_in_text(contract: Contract) -> Iterator[Hit]:
    """The price the text names against the table's total; and two different prices in the text."""
    stated = labelled(contract, TOTAL)
    totals = [total for _, total in _tables(contract) if not _is_regular(total)]
    written = [w for w in map(_last_number, totals) if w is not None]
    if len(written) == 1 and stated and all(a.value != written[0] for a in stated):
        yield _differs(stated[0], written[0])
        return
    yield from _disagreeing(stated)


def named_sums(contract: Contract) -> Iterator[Hit]:
    """The same rent, wage, deposit or loan must not have two values."""
    for label in (
        _MONTHLY["租金"],
        _MONTHLY["工资"],
        _MONTHLY["服务费"],
        r"(?<![与和及、])(?:租赁)?(?:押金|保证金)(?:人民币)?",
        r"定金",
        r"年租金|每年租金",
    ):
        yield from _disagreeing(labelled(contract, label))


def shares_of_total(contract: Contract) -> Iterator[Hit]:
    """“30 % of the price, that is ...”."""
    total = total_of(contract)
    if total is None:
        return
    for match in _SHARE.finditer(contract.text):
        amount = _following(contract, match.end(), 12)
        if amount is None:
            continue
        right = total.value * Decimal(match["p"]) / 100
        if abs(right - amount.value) > Decimal("0.5"):
            yield Hit(match.start(), amount.end, _values(right, amount.value))


def instalment_shares(contract: Contract) -> Iterator[Hit]:
    """Instalments of one price in percent make up a hundred."""
    pattern = re.compile(
        r"(?:总价款?|总额|总金额|价款|合同价|总费用|服务费|开发费|货款)[^，,。；;]{0,8}?(\d+(?:\.\d+)?)\s*%"
    )
    for clause in contract.all_clauses:
        if clause.kind == "preamble" or clause.level > 2 or clause.children and clause.level > 1:
            continue
        words = contract.text[clause.start : clause.end]
        if not re.search(r"分[期批\d二三四五两]|首[期付笔]|预付|尾款|余款|第[一二]期", words):
            continue
        if re.search(r"违约金|定金", words) or clause.article is not clause:
            continue
        found = list(pattern.finditer(words))
        total = sum((Decimal(match[1]) for match in found), Decimal(0))
        if len(found) >= 2 and total != 100 and not re.search(r"剩余|余下|其余|余款", words):
            first, last = found[0], found[-1]
            start, end = clause.start + first.start(), clause.start + last.end()
            yield Hit(start, end, {"right": "100%", "written": f"{total.normalize():f}%"})


def multiples(contract: Contract) -> Iterator[Hit]:
    """“Two months' rent, that is ...”."""
    for match in _MULTIPLE.finditer(contract.text):
        each = labelled(contract, _MONTHLY[match["base"]])
        count, amount = whole(match["n"]), _following(contract, match.end(), 10)
        if not each or count is None or amount is None:
            continue
        right = each[0].value * count
        if right != amount.value:
            yield Hit(match.start(), amount.end, _values(right, amount.value))


def yearly_rent(contract: Contract) -> Iterator[Hit]:
    monthly = labelled(contract, _MONTHLY["租金"])
    yearly = labelled(contract, r"年租金(?:总额)?|每年租金")
    for amount in yearly[:1]:
        if monthly and monthly[0].value * 12 != amount.value:
            yield Hit(amount.start, amount.end, _values(monthly[0].value * 12, amount.value))


def copies(contract: Contract) -> Iterator[Hit]:
    """“In four copies, each party keeps one”: what is handed out must be what is made."""
    count_parties = len({p.name for p in contract.parties if not p.is_signature}) or 2
    for match in _COPIES.finditer(contract.text):
        made, rest = whole(match["all"]), match["rest"]
        holders = 3 if "三方" in rest else 2 if re.search("双方|甲乙", rest) else count_parties
        each = [(whole(m["n"]) or 0) * _holders(rest, m, holders) for m in _EACH.finditer(rest)]
        single = [whole(m["n"]) or 0 for m in _ONE.finditer(_EACH.sub("", rest))]
        if made is None or not (each or single) or "其余" in rest:
            continue
        handed = sum(each) + sum(single)
        if handed != made:
            values = {"right": str(handed), "written": str(made)}
            yield Hit(match.start(), match.end("rest"), values, confidence=0.85)


def _holders(rest: str, each: re.Match[str], parties: int) -> int:
    """How many the 各 is said of: the parties, others joined by 和, or both."""
    said = re.split(r"[，,；;]", rest[: each.start()])[-1]
    others = re.sub(r"^.*(?:[双三]方|当事人|各方|[甲乙丙]方?[、和与及]?乙?方?)", "", said)
    joined = [name for name in re.split(r"[、和与及]", others) if len(name.strip()) > 1]
    return len(joined) + (parties if others != said or not joined else 0)


def taxes(contract: Contract) -> Iterator[Hit]:
    """Net price, rate and tax of one sentence or clause."""
    for sentence in sentences(contract, r"不含税"):
        words = sentence.text
        rate = re.search(r"税率[为：:]?\s*(\d+(?:\.\d+)?)\s*%", words)
        net = _in_sentence(contract, sentence.start, words, r"不含税(?:总?价款?|金额|合同价)?")
        tax = _in_sentence(contract, sentence.start, words, r"(?:增值)?税(?:额|金|款)")
        if rate is None or net is None or tax is None:
            continue
        right = (net.value * Decimal(rate[1]) / 100).quantize(_CENT)
        if abs(right - tax.value) > Decimal("0.05"):
            yield Hit(tax.start, tax.end, _values(right, tax.value))


def products_in_text(contract: Contract) -> Iterator[Hit]:
    """Quantity, price and sum within one sentence."""
    pattern = re.compile(
        r"(?P<q>\d[\d,]*(?:\.\d+)?)\s*(?P<u>公斤|千克|斤|吨|箱|件|台|套|亩|平方米|㎡|人|个|小时|场|次)[^。；;]{0,24}?"
        r"(?P<p>\d[\d,]*(?:\.\d+)?)\s*元\s*(?:[/／]|每)\s*(?P<per>公斤|千克|斤|吨|箱|件|台|套|亩|平方米|㎡|人|个|小时|场|次)(?P<rest>[^。；;]{0,30}?)(?:共计|合计|总价款?|总计|总额|金额)(?:为|是|人民币|：|:)*\s*(?P<s>\d[\d,]*(?:\.\d+)?)\s*元"
    )
    for match in (*pattern.finditer(contract.text), *_PRICE_FIRST.finditer(contract.text)):
        if match["u"] != match["per"]:
            continue
        quantity, price, written = (number(match[name]) for name in ("q", "p", "s"))
        if quantity is None or price is None or written is None:
            continue
        if abs(quantity * price - written) > _CENT:
            yield Hit(match.start(), match.end(), _values(quantity * price, written))


def has_tables(contract: Contract) -> bool:
    return any(True for _ in _rows(contract))


def has_total(contract: Contract) -> bool:
    return total_of(contract) is not None


def _rows(contract: Contract) -> Iterator[Paragraph]:
    for paragraph in contract.source.paragraphs:
        if paragraph.cells:
            yield paragraph


def _tables(contract: Contract) -> Iterator[tuple[list[Paragraph], Paragraph]]:
    """The lines of each table and its total row."""
    rows: list[Paragraph] = []
    for row in _rows(contract):
        if rows and rows[-1].table != row.table:
            rows = []
        if _is_total(row):
            yield rows, row
            rows = []
        else:
            rows.append(row)


def _is_total(row: Paragraph) -> bool:
    return any(_TOTAL_ROW.match(value) for _, value in row.cells[:2])


def _is_regular(row: Paragraph) -> bool:
    """A sum that falls due each month or year is not the price of the whole."""
    return any(_SUM.search(column) and _REGULAR.search(column) for column, _ in row.cells)


def _cell(row: Paragraph, name: re.Pattern[str]) -> Decimal | None:
    for column, value in row.cells:
        if name.search(column):
            return number(value)
    return None


def _scale(row: Paragraph) -> Decimal:
    """Columns in yuan and in ten thousands of yuan."""
    price = next((column for column, _ in row.cells if _PRICE.search(column)), "")
    amount = next((column for column, _ in row.cells if _SUM.search(column)), "")
    return Decimal("0.0001") if "万" in amount and "万" not in price else Decimal(1)


def _last_number(row: Paragraph) -> Decimal | None:
    """In a merged total row the sum may stand in any column, the last one is it."""
    named = _cell(row, _SUM)
    if named is not None:
        return named
    found = [n for n in (number(value) for _, value in row.cells) if n is not None]
    return found[-1] if found else None


def _following(contract: Contract, offset: int, reach: int) -> Amount | None:
    for amount in contract.amounts:
        if offset - 1 <= amount.start <= offset + reach and not amount.is_words:
            return amount
    return None


def _in_sentence(contract: Contract, start: int, words: str, label: str) -> Amount | None:
    for match in re.finditer(label + r"[为：:\s人民币共计]*", words):
        amount = _following(contract, start + match.end(), 3)
        if amount is not None:
            return amount
    return None


def _disagreeing(found: list[Amount]) -> Iterator[Hit]:
    if len({amount.value for amount in found}) > 1:
        other = next(a for a in found if a.value != found[0].value)
        yield _differs(other, found[0].value)


def _differs(amount: Amount, right: Decimal) -> Hit:
    return Hit(amount.start, amount.end, _values(right, amount.value), confidence=0.8)


def _values(right: Decimal, written: Decimal) -> dict[str, str]:
    return {"right": shown(right), "written": shown(written)}
