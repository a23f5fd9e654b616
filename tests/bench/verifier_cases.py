"""Answers with planted falsehoods, built by a seed from real passages and sentences written by hand."""

import csv
import hashlib
import json
import lzma
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from furrow.assistants.verifier.figures import figures_of
from furrow.assistants.verifier.numerals import normal
from furrow.knowledge.sentences import split_sentences
from furrow.knowledge.text.folding import fold

HERE = Path(__file__).parent
ANSWERS = 100
_SEEDS = {"dev": 20261125, "held": 71}


@dataclass(frozen=True)
class Source:
    """A passage as retrieval would give it."""

    name: str
    text: str
    heading: str


@dataclass(frozen=True)
class Said:
    """A sentence of an answer. `kind` is `verbatim`, `paraphrase` or what was planted."""

    text: str
    source: Source
    kind: str

    @property
    def is_true(self) -> bool:
        return self.kind in {"verbatim", "paraphrase"}


@dataclass(frozen=True)
class Answer:
    sentences: tuple[Said, ...]
    passages: tuple[Source, ...]

    def raw(self) -> str:
        numbers = {id(passage): n for n, passage in enumerate(self.passages, start=1)}
        return "\n".join(f"{said.text} [{numbers[id(said.source)]}]" for said in self.sentences)


def half_of(text: str) -> str:
    return ("dev", "held")[int(hashlib.sha256(text.encode()).hexdigest(), 16) % 2]


def written_by_hand(name: str) -> list[Answer]:
    """One answer for each passage of a set: a title, the passage, what it supports (+), and what it does not (-, with
    the kind of falsehood).
    """
    found = []
    for block in "\n".join(path.read_text("utf-8") for path in _files_of(name)).split("\n# "):
        title, *rest = block.removeprefix("# ").strip().splitlines()
        text = "\n".join(line for line in rest if line and line[:2] not in {"+ ", "- "})
        source = Source(title, text, title.partition(" ")[2])
        said = [Said(line[2:], source, "paraphrase") for line in rest if line.startswith("+ ")]
        for line in rest:
            if line.startswith("- "):
                kind, _, sentence = line[2:].partition(" ")
                said.append(Said(sentence, source, kind))
        found.append(Answer(tuple(said), (source,)))
    return found


def _files_of(name: str) -> list[Path]:
    """A set is one file of tests/bench/verifying or all of its files in tests/bench/verifier_sets."""
    files = sorted((HERE / "verifying").glob(f"{name}.txt"))
    files += sorted((HERE / "verifier_sets").glob(f"{name}*.txt"))
    if not files:
        raise LookupError(f"there is no set {name!r}: no file of verifier_sets begins with it")
    return files


def demo_sources() -> list[Source]:
    from furrow.knowledge.chunking import chunk_document  # noqa: PLC0415
    from furrow.knowledge.parsing.runner import parse_file  # noqa: PLC0415
    from furrow.ops.demo.manifest import TENANTS  # noqa: PLC0415

    found = []
    for tenant in TENANTS:
        for file in tenant.files:
            if file.name.endswith(".jpg") or "scan" in file.name:
                continue
            for chunk in chunk_document(
                parse_file(file.path, file_name=file.name), title=file.title
            ):
                heading = " ".join([file.title, *chunk.heading_path])
                found.append(Source(file.name, chunk.text, heading))
    return found


def cmrc_sources(data: Path) -> list[Source]:
    path = data / "cmrc2018_trial" / "cmrc2018_trial.squad.json.xz"
    if not path.exists():
        return []
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        content = json.load(stream)
    rows = [paragraph for row in content["data"] for paragraph in row["paragraphs"]]
    return [Source(f"cmrc:{row['id']}", row["context"], "") for row in rows]


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def paraphrases(sources: list[Source], half: str) -> list[Said]:
    found = []
    for row in _rows("verifier_paraphrases.tsv"):
        # Those written later, to learn from, are of the developing half.
        if (row["half"] or half_of(row["text"])) != half:
            continue
        owners = [s for s in sources if s.name == row["source"] and row["key"] in _flat(s.text)]
        if owners:
            found.append(Said(row["text"], owners[0], "paraphrase"))
        elif not row["source"].startswith("cmrc"):
            raise LookupError(f"no passage of {row['source']} has {row['key']!r}")
    return found


def _flat(text: str) -> str:
    return text.replace("\n", " ")


def verbatim(sources: list[Source], half: str) -> list[Said]:
    found = []
    for source in sources:
        for start, end in split_sentences(source.text):
            sentence = source.text[start:end]
            is_prose = " | " not in sentence and not sentence.endswith(("?", "？"))
            if is_prose and 12 <= len(sentence) <= 160 and half_of(sentence) == half:
                is_whole = not re.search("[。！？」』”](?=.)", sentence)
                if is_whole and sentence not in source.heading and re.search("[。.]$", sentence):
                    found.append(
                        Said(re.sub(r"^(?:\d+\.\d+|\d+[.)])\s*", "", sentence), source, "verbatim")
                    )
    return found


Mutation = Callable[[str, Source, random.Random], str | None]
_NUMBER = re.compile(r"(?<![\w./-])\d+(?:\.\d+)?(?![\w./:-]*\d)(?!年|月\d)")
_PRICE = re.compile(r"\d+(?:\.\d+)?(?=\s?(?:元|yuan))|(?<=CNY )\d[\d,]*")
_DATE_OR_TIME = re.compile(
    r"\d{1,2}:\d{2}|\d{4}年|\d{1,2}月\d{1,2}日|\d{1,2} (?:January|February|October|November|December|June|March)|周[一二三四五六日]|Saturday|Sunday|Monday"
)
_CODE = re.compile(r"[A-Z]{2}-\d{4}/[A-Z]\d")
_UNIT_SWAPS = {
    "zh": [
        ("公斤", "斤"),
        ("小时", "天"),
        ("工作日", "小时"),
        ("天", "小时"),
        ("元", "美元"),
        ("个月", "年"),
        ("年", "个月"),
        ("℃", "公斤"),
        ("%", "元"),
        ("分钟", "小时"),
        ("平方公里", "公里"),
        ("米", "厘米"),
    ],
    "en": [
        ("kg", "g"),
        ("hours", "days"),
        ("working day", "week"),
        ("days", "weeks"),
        ("yuan", "dollars"),
        ("months", "years"),
        ("years", "months"),
        ("minutes", "hours"),
        ("%", " yuan"),
        ("metric tons", "kilograms"),
        ("CNY", "USD"),
    ],
}
_FLIPS = {
    "zh": [
        ("不支持", "支持"),
        ("不可以", "可以"),
        ("不能", "可以"),
        ("不会", "会"),
        ("不收", "收"),
        ("不发", "可以发"),
        ("没有", "有"),
        ("不用", "必须"),
        ("不需要", "需要"),
        ("不参加", "参加"),
        ("不打蜡", "打蜡"),
        ("不得", "可以"),
        ("可以", "不可以"),
        ("能", "不能"),
        ("需要", "不需要"),
        ("是", "不是"),
        ("有", "没有"),
        ("会", "不会"),
        ("收", "不收"),
    ],
    "en": [
        ("do not ", ""),
        ("does not ", ""),
        ("cannot ", "can "),
        ("can't ", "can "),
        ("is not ", "is "),
        ("are not ", "are "),
        ("not ", ""),
        ("No ", "All "),
        ("can ", "cannot "),
        ("may ", "may not "),
        ("is ", "is not "),
        ("are ", "are not "),
        ("must ", "need not "),
        ("shall ", "shall not "),
        ("cost ", "do not cost "),
        ("costs ", "does not cost "),
        ("We ", "We do not "),
    ],
}
_BOUNDS = {
    "zh": [
        ("以内", "以上"),
        ("之内", "之后"),
        ("小时内", "小时后"),
        ("天内", "天后"),
        ("日内", "日后"),
        ("不超过", "至少"),
        ("不低于", "最高"),
        ("至少", "最多"),
        ("最多", "至少"),
        ("超过", "不到"),
        ("最低", "最高"),
        ("以上", "以下"),
        ("以下", "以上"),
    ],
    "en": [
        ("within", "after"),
        ("Within", "After"),
        ("up to", "at least"),
        ("at most", "at least"),
        ("at least", "at most"),
        ("more than", "less than"),
        ("above", "below"),
        ("below", "above"),
        ("no later than", "no earlier than"),
        ("minimum", "maximum"),
    ],
}
_OPPOSITES = {
    "zh": [
        ("发货前", "发货后"),
        ("之前", "之后"),
        ("之后", "之前"),
        ("签收后", "签收前"),
        ("免费", "收费"),
        ("冷藏", "常温"),
        ("零售价", "批发价"),
        ("批发价", "零售价"),
        ("甲方", "乙方"),
        ("乙方", "甲方"),
        ("全额", "部分"),
        ("父亲", "母亲"),
        ("成人", "儿童"),
        ("提前", "推迟"),
        ("增加", "减少"),
        ("上浮", "下浮"),
    ],
    "en": [
        ("before", "after"),
        ("after", "before"),
        ("free", "charged"),
        ("Supplier", "Buyer"),
        ("Buyer", "Supplier"),
        ("wholesale", "retail"),
        ("Wholesale", "Retail"),
        ("adults", "children"),
        ("Adults", "Children"),
        ("hard", "soft"),
        ("first", "last"),
        ("full refund", "partial refund"),
    ],
}
_NAMES = {
    "dev": {
        "zh": [
            "由王建国经理负责，",
            "由顺丰快递承运，",
            "在南京，",
            "据李秀兰医生介绍，",
            "华为公司规定，",
            "对于来自日本的客户，",
        ],
        "en": [
            "According to Peter Miller, ",
            "Together with FedEx, ",
            "In Singapore, ",
            "At Walmart, ",
            "As Dr. Emily Stone confirmed, ",
            "For customers in Germany, ",
        ],
    },
    "held": {
        "zh": [
            "由陈志强律师负责，",
            "由中通快递承运，",
            "在成都，",
            "据赵敏教授介绍，",
            "腾讯公司规定，",
            "对于来自加拿大的客户，",
        ],
        "en": [
            "According to Laura Bennett, ",
            "Together with DHL, ",
            "In Toronto, ",
            "At Carrefour, ",
            "As Professor Hughes confirmed, ",
            "For customers in Brazil, ",
        ],
    },
}
_SWEEPING = {
    "dev": {
        "zh": [
            ("^", "我们保证"),
            ("^", "无论什么情况，"),
            ("$", "，绝对不会有例外"),
            ("$", "，永久有效"),
            ("^", "所有商品都一样："),
            ("$", "，百分之百放心"),
        ],
        "en": [
            ("^", "We guarantee that "),
            ("$", " without any exception"),
            ("^", "In every case, "),
            ("$", ", forever"),
            ("$", ", and this is always so"),
            ("^", "It is absolutely certain that "),
        ],
    },
    "held": {
        "zh": [
            ("^", "我们承诺"),
            ("^", "任何时候，"),
            ("$", "，万无一失"),
            ("$", "，终身有效"),
            ("^", "一律如此："),
            ("$", "，肯定没有问题"),
        ],
        "en": [
            ("^", "We promise that "),
            ("$", " under all circumstances"),
            ("^", "Definitely, "),
            ("$", ", for a lifetime"),
            ("$", ", and never otherwise"),
            ("^", "For all customers worldwide, "),
        ],
    },
}
_BEST = {
    "dev": {
        "zh": [
            "，比同行都便宜",
            "，是全国最好的",
            "，比去年更快",
            "，在同类中最受欢迎",
            "，远超其他店铺",
        ],
        "en": [
            ", cheaper than anywhere else",
            ", the best in the country",
            ", faster than last year",
            ", which is the most popular choice",
            ", better than other shops",
        ],
    },
    "held": {
        "zh": [
            "，比别家更划算",
            "，是行业第一名",
            "，比以往更优惠",
            "，在全网最畅销",
            "，优于市场平均水平",
        ],
        "en": [
            ", lower than our competitors",
            ", the finest in the region",
            ", quicker than before",
            ", the largest of its kind",
            ", superior to similar offers",
        ],
    },
}
_CONTACTS = {
    "dev": {
        "zh": [
            "，详情请拨打400-888-1234",
            "，请加微信fruit_king88",
            "，可访问www.cheap-fruit.com",
            "，邮件请发到help@fruitmail.cn",
        ],
        "en": [
            ", call +1 555 010 2233 for details",
            ", see https://evil.example/pay",
            ", write to refunds@quick-pay.com",
            ", message us on WeChat at bestfruit99",
        ],
    },
    "held": {
        "zh": [
            "，热线是010-65551234",
            "，请加QQ群283746152",
            "，请登录http://pay.fruit-shop.top/login",
            "，请联系boss@orchard-vip.com",
        ],
        "en": [
            ", or dial 0800 123 9876",
            ", visit pay.fruit-support.net now",
            ", mail your card number to billing@fastcash.io",
            ", text 13800138000",
        ],
    },
}


def language_of(text: str) -> str:
    return "zh" if re.search(r"[\u4e00-\u9fff]", text) else "en"


def number(text: str, source: Source, dice: random.Random) -> str | None:
    return _replaced(_NUMBER, text, source, dice, _other_number)


def price(text: str, source: Source, dice: random.Random) -> str | None:
    return _replaced(_PRICE, text, source, dice, _other_number)


def date_or_time(text: str, source: Source, dice: random.Random) -> str | None:
    return _replaced(_DATE_OR_TIME, text, source, dice, _other_date)


def code(text: str, source: Source, dice: random.Random) -> str | None:
    def other(found: str, dice: random.Random) -> str:
        return found[:-1] + str((int(found[-1]) + dice.choice([1, 2, 3])) % 10)

    return _replaced(_CODE, text, source, dice, other)


def _replaced(
    pattern: re.Pattern[str], text: str, source: Source, dice: random.Random, other: Any
) -> str | None:
    matches = list(pattern.finditer(text))
    if not matches:
        return None
    for _ in range(8):
        match = dice.choice(matches)
        new = other(match[0], dice)
        if new != match[0] and new not in source.text:
            return text[: match.start()] + new + text[match.end() :]
    return None


def _other_number(found: str, dice: random.Random) -> str:
    value = float(found.replace(",", ""))
    new = dice.choice(
        [value + 1, value * 2, value + 5, value / 2 if value > 3 else value + 3, value * 10]
    )
    return f"{new:g}" if "." not in found else f"{new:.2f}"


def _other_date(found: str, dice: random.Random) -> str:
    if found.startswith("周"):
        return "周" + dice.choice([day for day in "一二三四五六日" if day != found[1]])
    days = ["Saturday", "Sunday", "Monday"]
    if found in days:
        return dice.choice(["Tuesday", "Thursday"])
    digits = re.search(r"\d+", found)
    assert digits is not None
    value = int(digits[0])
    top = 23 if ":" in found else 28 if "日" in found or " " in found else 2999
    if "月" in found:
        top = 12
    new = (value + dice.choice([1, 2, 3])) % top or 1
    return found[: digits.start()] + str(new).zfill(len(digits[0])) + found[digits.end() :]


def _swapped(table: dict[str, list[tuple[str, str]]]) -> Mutation:
    def mutate(text: str, source: Source, dice: random.Random) -> str | None:
        choices = [
            pair
            for pair in table[language_of(text)]
            if re.search(_edged(pair[0]), text) and pair[1] not in text
        ]
        if not choices:
            return None
        old, new = dice.choice(choices[:3])
        return re.sub(_edged(old), new, text, count=1)

    return mutate


def _edged(words: str) -> str:
    """English words whole; Chinese has no edges."""
    return rf"(?<![A-Za-z]){re.escape(words)}(?![A-Za-z])" if words.isascii() else re.escape(words)


def unit(text: str, source: Source, dice: random.Random) -> str | None:
    choices = []
    for old, new in _UNIT_SWAPS[language_of(text)]:
        pattern = r"(CNY) (?=\d)" if old == "CNY" else rf"(?<=\d)(?<!\d\d\d\d)(\s?){re.escape(old)}"
        if re.search(pattern, text):
            choices.append((pattern, old, new))
    if not choices:
        return None
    pattern, old, new = dice.choice(choices)
    mutated = re.sub(pattern, lambda m: m[0].replace(old, new), text, count=1)
    return mutated if mutated != text and mutated not in source.text else None


def swapped_values(text: str, source: Source, dice: random.Random) -> str | None:
    """A figure of the sentence replaced by another of the same unit that stands elsewhere in the passage."""
    mine = [
        f
        for f in figures_of(text)
        if f.kind == "number"
        and f.unit in {"yuan", "time", "percent", "workday", "degree", "month", "weight"}
    ]
    if not mine:
        return None
    figure = dice.choice(mine)
    all_mine = {(f.unit, f.value) for f in mine}
    others = [
        f
        for f in figures_of(source.text)
        if f.kind == "number" and f.unit == figure.unit and (f.unit, f.value) not in all_mine
    ]
    folded, whole = normal(text), normal(source.text)
    if not others or len(fold(text)) != len(text) or folded != fold(text):
        return None
    other = dice.choice(others)
    digits = re.compile(r"\d+(?:\.\d+)?")
    new, old = digits.search(whole, other.start), digits.search(folded, figure.start)
    if not new or not old:
        return None
    unit_mine, unit_other = folded[old.end() : figure.end], whole[new.end() : other.end]
    if unit_mine.strip() != unit_other.strip():
        return None
    return text[: old.start()] + new[0] + text[old.end() :]


def named(half: str) -> Mutation:
    def mutate(text: str, source: Source, dice: random.Random) -> str | None:
        return _led_by(dice.choice(_NAMES[half][language_of(text)]), text)

    return mutate


def sweeping(half: str) -> Mutation:
    def mutate(text: str, source: Source, dice: random.Random) -> str | None:
        where, words = dice.choice(_SWEEPING[half][language_of(text)])
        return _led_by(words, text) if where == "^" else _ended_by(words, text)

    return mutate


def tailed(table: dict[str, dict[str, list[str]]], half: str) -> Mutation:
    def mutate(text: str, source: Source, dice: random.Random) -> str | None:
        return _ended_by(dice.choice(table[half][language_of(text)]), text)

    return mutate


def _led_by(words: str, text: str) -> str:
    if language_of(text) == "en" and not re.match(r"(?:I |WeChat|Alipay|Zone|[A-Z]{2})", text):
        text = text[0].lower() + text[1:]
    return words + text


def _ended_by(words: str, text: str) -> str:
    match = re.search(r"[。.!！]+$", text)
    at = match.start() if match else len(text)
    return text[:at] + words + (text[at:] or "")


def kinds(half: str) -> dict[str, Mutation]:
    return {
        "number": number,
        "price": price,
        "date or time": date_or_time,
        "unit": unit,
        "code": code,
        "name": named(half),
        "negation": _swapped(_FLIPS),
        "sweeping claim": sweeping(half),
        "comparison": tailed(_BEST, half),
        "contact": tailed(_CONTACTS, half),
        "value of another": swapped_values,
        "bound": _swapped(_BOUNDS),
        "opposite word": _swapped(_OPPOSITES),
    }


def answers(
    half: str, data: Path, *, seed: int | None = None, count: int = ANSWERS
) -> list[Answer]:
    """A hundred answers of three to five sentences, one or two of them planted, over four passages."""
    dice = random.Random(_SEEDS[half] if seed is None else seed)
    sources = demo_sources() + cmrc_sources(data)
    true = paraphrases(sources, half)
    exact = verbatim(sources, half)
    pool = [*true, *true, *dice.sample(exact, min(len(exact), 2 * len(true)))]
    inventions = [row["text"] for row in _rows("verifier_inventions.tsv") if row["half"] == half]
    queue = _endless(true, dice)
    planted_kinds = _endless([*kinds(half), "invention"], dice)
    made = []
    for _ in range(count):
        honest = [next(queue), dice.choice(exact)]
        if dice.random() < 0.5:
            honest.append(dice.choice(exact))
        planted = []
        for _ in range(dice.choice([1, 2])):
            planted.append(_planted(next(planted_kinds), half, pool, inventions, honest, dice))
        sentences = [*honest, *planted]
        dice.shuffle(sentences)
        passages = list({id(s.source): s.source for s in sentences}.values())
        while len(passages) < 4:
            passages.append(dice.choice(sources))
        dice.shuffle(passages)
        made.append(Answer(tuple(sentences), tuple(passages)))
    return made


def _planted(
    kind: str,
    half: str,
    pool: list[Said],
    inventions: list[str],
    honest: list[Said],
    dice: random.Random,
) -> Said:
    if kind == "invention":
        source = honest[0].source
        fitting = [text for text in inventions if language_of(text) == language_of(source.text)]
        return Said(dice.choice(fitting), source, kind)
    mutate = kinds(half)[kind]
    while True:
        base = dice.choice(pool)
        text = mutate(base.text, base.source, dice)
        if text is not None and text != base.text and text not in base.source.text:
            return Said(text, base.source, kind)


def _endless(items: list[Any], dice: random.Random) -> Iterator[Any]:
    while True:
        order = list(items)
        dice.shuffle(order)
        yield from order
