"""What several checks need to know: the kind of contract, its sums by name, its sentences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from apps.contracts.reading import Contract
from apps.contracts.reading.amounts import Amount

# The first that the title names; a lease of land is a lease, a software service contract is software.
_KINDS = (
    ("labour", r"劳动合同|聘用合同|用工合同|雇佣合同|劳务合同|Employment"),
    ("lease", r"租赁|出租|承租|Lease"),
    ("nda", r"保密|Non-?Disclosure|Confidentiality"),
    ("loan", r"借款|贷款|借贷|Loan"),
    ("software", r"软件|系统开发|技术开发|许可使用|小程序|Software|License"),
    ("agency", r"代理|经销|分销|居间|加盟|Agency|Distribut"),
    ("sale", r"买卖|购销|采购|供货|销售|收购|订购|Sale|Purchase|Supply"),
    ("service", r"服务|委托|承揽|咨询|运输|加工|保洁|Service|Consult"),
)  # fmt: skip
_PATTERNS = tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in _KINDS)
# Between a label and its sum stand only such words.
_BETWEEN = r"(?:总价款?|价款?|款|总?金?额|[（(](?:含税|不含税|小写|大写|税后|税前)[^）)]{0,4}[）)]|[为是共计约即：:\s，,]|人民币|合计|总计|小写|含税|税前|固定)*"
TOTAL = r"(?<!不含税)(?:合同|货款|服务费?用?|开发费?用?|价款|采购|订单|项目)?(?:总价款?|总金额|总额|总费用|总计)|合同(?:价款|金额)|成交价格?|转让价格?|车价|借款(?:本金|金额|总额)|服务费总计"
_OPENING = 4_000
_SENTENCE = re.compile(r"[^。；;！？\n]+[。；;！？]?")


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def is_chinese(contract: Contract) -> bool:
    """By the opening: what a heading or a number looks like differs between the languages."""
    opening = contract.text[:_OPENING]
    return sum("\u3400" <= char <= "\u9fff" for char in opening) * 10 > len(opening)


def kind_of(contract: Contract) -> str:
    """One of the eight kinds, or "" where neither title nor opening tells."""
    lines = [contract.source.words_of(p) for p in contract.source.paragraphs[:4]]
    for text in (*lines[:2], " ".join(lines), contract.text[:800]):
        for kind, pattern in _PATTERNS:
            if pattern.search(text):
                return kind
    return ""


def sentences(contract: Contract, pattern: str = "") -> Iterator[Sentence]:
    """Sentences outside of tables that the pattern occurs in."""
    for sentence in _all_sentences(contract.text):
        if not pattern or re.search(pattern, sentence.text):
            yield sentence


@lru_cache(maxsize=8)
def _all_sentences(text: str) -> tuple[Sentence, ...]:
    found = []
    for match in _SENTENCE.finditer(text):
        words = match.group()
        bare = words.strip()
        if bare:
            found.append(Sentence(bare, match.start() + len(words) - len(words.lstrip())))
    return tuple(found)


def labelled(contract: Contract, label: str) -> list[Amount]:
    """Sums in digits that stand straight behind the label."""
    amounts = {amount.start: amount for amount in contract.amounts if not amount.is_words}
    found = []
    for match in re.finditer(rf"(?:{label}){_BETWEEN}", contract.text):
        places = [place for place in amounts if match.end() - 4 <= place <= match.end()]
        if places:
            found.append(amounts[max(places)])
    return found


def total_of(contract: Contract) -> Amount | None:
    """The price of the whole contract, as its text states it first."""
    found = labelled(contract, TOTAL)
    return found[0] if found else None


def shown(value: Decimal) -> str:
    """`12,300.00`; whole numbers without decimals."""
    quantized = value.quantize(Decimal("0.01"))
    whole = quantized == quantized.to_integral_value()
    return f"{quantized:,.0f}" if whole else f"{quantized:,.2f}"
