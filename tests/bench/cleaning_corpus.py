"""A corpus of shop and office papers with 500 planted defects of ten kinds, and clean look-alikes as traps.

The seed decides every word; what is planted is known by document and offsets. Rules are developed on seed 1.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import BlockKind, ParsedDocument
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.tables import add_table

KINDS = (
    "boilerplate", "garble", "ocr_noise", "truncated_table", "repeated_header", "near_duplicate", "contradiction",
    "odd_value", "placeholder", "stale",
)  # fmt: skip
A_KIND = 50
DOCUMENTS = 100
TODAY = date(2026, 11, 25)

_FRUIT = "脐橙 蜜柚 冰糖橙 砂糖橘 猕猴桃 雪梨 红富士 水蜜桃 青枣 枇杷 莲藕 山药 土鸡蛋 腊肉 茶油 蜂蜜 米酒 笋干 香菇 木耳".split()
_PLACE = "赣南 安远 信丰 寻乌 会昌 瑞金 上犹 崇义 大余 南康 石城 宁都".split()
_SIZE = "大果 中果 小果 礼盒 家庭装 尝鲜装 两个装 十斤装".split()
_SERVICE = "合同审查 律师函 劳动仲裁 公司注册 商标申请 遗产咨询 房屋过户 债务催收".split()
_SUBJECT = "我们 本店 店里 客服 仓库 合作社 本所 经办律师".split()
_WHEN = "每天下午三点前 周一到周五 收到付款之后 下雨天以外 节假日也 采摘当天 签收以后两天内 月底以前".split()
_WHAT = (
    "把订单交给快递站 安排专人打包 用泡沫箱加冰袋装好 给每箱贴上批次标签 在微信群里发照片 打电话跟客户确认 "
    "对磅称重并记录 把坏果挑出来另放 寄出纸质发票 把合同扫描存档 核对身份证和委托书 通知对方当事人"
).split()
_WHY = (
    "这样路上不容易压坏 以免两边说法不一 客户心里有数 过后查起来方便 好让下一班接着做 省得来回跑 "
    "年底对账用得上 老客户都习惯了 镇上的规定也是如此 保险公司要看"
).split()
_ENGLISH = (
    "The orchard lies on the south slope and gets sun from {a} in the morning.",
    "Parcels leave the packing shed at {a} o'clock, and the driver signs for {b} crates.",
    "A client who sends {b} documents gets a receipt for each of them.",
    "Our juice is pressed within {a} hours and bottled in glass of {b} millilitres.",
    "Visitors park behind barn {a}; dogs stay on the lead near pen {b}.",
    "Room {a} is kept for mediation, room {b} for reading files.",
)


@dataclass(frozen=True)
class Plant:
    document: int
    kind: str
    start: int
    end: int
    text: str


@dataclass
class Corpus:
    documents: list[ParsedDocument] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    plants: list[Plant] = field(default_factory=list)


@dataclass
class Part:
    """Something to be added to one document; `kind` empty means clean."""

    kind: str
    add: Callable[[DocumentBuilder], None]
    # The words by which the planted block is found again.
    marks: tuple[str, ...] = ()


def corpus_make(seed: int) -> Corpus:
    return _Writer(random.Random(seed)).corpus()


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._codes = iter(chance.sample(range(1000, 9999), 3000))
        self._seen: set[str] = set()

    def corpus(self) -> Corpus:
        parts: list[list[Part]] = [self._clean_parts() for _ in range(DOCUMENTS)]
        for kind in KINDS:
            for _ in range(A_KIND):
                if kind == "contradiction":
                    one, other = self._chance.sample(range(DOCUMENTS), 2)
                    first, second = self._contradiction()
                    self._insert(parts[one], first)
                    self._insert(parts[other], second)
                else:
                    target = parts[self._chance.randrange(DOCUMENTS)]
                    for part in getattr(self, f"_{kind}")():
                        self._insert(target, part)
        corpus = Corpus()
        for number, row in enumerate(parts):
            self._write(corpus, number, row)
        return corpus

    def _insert(self, parts: list[Part], part: Part) -> None:
        parts.insert(self._chance.randrange(len(parts) + 1), part)

    def _write(self, corpus: Corpus, number: int, parts: list[Part]) -> None:
        builder = DocumentBuilder(ParseJob())
        builder.heading(f"{self._pick(_PLACE)}资料{number}", 1)
        ends: list[int] = []
        for part in parts:
            part.add(builder)
            ends.append(len(builder._blocks))
        document = builder.build()
        corpus.documents.append(document)
        corpus.titles.append(f"资料{number}")
        for part, low, high in zip(parts, [1, *ends], ends, strict=False):
            for mark in part.marks:
                added = [b for b in document.blocks[low:high] if b.kind != "table_header"]
                block = next(block for block in reversed(added) if mark in block.text)
                corpus.plants.append(Plant(number, part.kind, block.start, block.end, block.text))

    def _pick(self, words: "list[str] | tuple[str, ...]") -> str:
        return self._chance.choice(words)

    def _number(self, low: int, high: int) -> int:
        return self._chance.randint(low, high)

    def _sentence(self) -> str:
        while True:
            text = f"{self._pick(_WHEN)}，{self._pick(_SUBJECT)}{self._pick(_WHAT)}，{self._pick(_WHY)}。"
            if text not in self._seen:
                self._seen.add(text)
                return text

    def _english(self) -> str:
        while True:
            text = self._pick(_ENGLISH).format(a=self._number(2, 99), b=self._number(100, 9999))
            if text not in self._seen:
                self._seen.add(text)
                return text

    def _paragraph(self) -> str:
        return (
            self._sentence() + self._sentence() if self._chance.random() < 0.7 else self._english()
        )

    def _code(self) -> str:
        return f"{self._pick(['CG', 'MY', 'LX', 'TF'])}-{next(self._codes)}"

    def _clean_parts(self) -> list[Part]:
        parts = [text_part(self._paragraph()) for _ in range(self._number(6, 10))]
        parts.append(table_part(self._rows(self._number(5, 9))))
        parts += [text_part(text, kind) for text, kind in self._traps()]
        self._chance.shuffle(parts)
        return parts

    def _traps(self) -> list[tuple[str, BlockKind]]:
        """Clean text that looks like a defect."""
        n, fruit, place = self._number(2, 98), self._pick(_FRUIT), self._pick(_PLACE)
        late = TODAY + timedelta(days=self._number(5, 300))
        early = TODAY - timedelta(days=self._number(30, 900))
        code = self._code()
        choices: list[tuple[str, BlockKind]] = [
            (
                f"网站首页右上角有“联系我们”按钮，点开能看到{place}门店的地址和第{n}号仓库电话。",
                "paragraph",
            ),
            (f"版权归作者所有的照片一共{n}张，使用前要先问摄影师。", "paragraph"),
            (
                f"电话：0797-{self._number(2000000, 8999999)}，邮箱 shop{n}@example.com，微信号 gd_{n}",
                "paragraph",
            ),
            (f"★★★★★ 好评{n}条，买家都说{fruit}又大又甜。", "list_item"),
            (f"● {fruit}{n}斤起批 ● {place}本地自提 ● 当天现摘", "list_item"),
            (f"乙方（签字）：__________    日期：__________ 第{n}份", "paragraph"),
            (
                f"{fruit}优惠活动时间：2026年11月1日至{late.year}年{late.month}月{late.day}日，满{n}元减5元。",
                "paragraph",
            ),
            (
                f"{place}合作社成立于{early.year}年{early.month}月{early.day}日，第{n}届理事会由五人组成。",
                "paragraph",
            ),
            (f"合同签订日期为{early.isoformat()}，编号{code}，双方各执一份。", "paragraph"),
            (f"龘靐齉龗这样的生僻字在第{n}页也写得清清楚楚。", "paragraph"),
            (
                f"Café crème and piñata number {n} – “as promised” – are served on Mondays.",
                "paragraph",
            ),
            (f"型号 {code}-O2/I1 的滤芯和 {code}-l0 不通用，买前核对铭牌。", "paragraph"),
            (f"运费如下（{place}发货{n}号线）：", "paragraph"),
            (f"{place}到店里{n}公里，自驾导航搜“{fruit}合作社”即可。", "list_item"),
            (f"{code}规格尺寸：{n} × {n + 3} × {n + 5} cm，误差 ±{n % 5 + 1} mm。", "paragraph"),
            (f"XXL号的工作服还有{n}件，X光检查在县医院做。", "paragraph"),
        ]
        return self._chance.sample(choices, 5)

    def _rows(self, count: int) -> list[list[str]]:
        names = ["编号", "名称", "规格", "零售价", "库存", "上市日期"]
        return [names, *(self._row() for _ in range(count))]

    def _row(self) -> list[str]:
        stock = "售罄" if self._chance.random() < 0.04 else str(self._number(3, 900))
        price = (
            "面议"
            if self._chance.random() < 0.04
            else f"{self._number(9, 199)}.{self._number(0, 9)}0"
        )
        day = TODAY - timedelta(days=self._number(3, 400))
        name = f"{self._pick(_PLACE)}{self._pick(_FRUIT)}"
        return [self._code(), name, self._pick(_SIZE), price, stock, day.isoformat()]

    def _boilerplate(self) -> list[Part]:
        n, place = self._number(2, 99), self._pick(_PLACE)
        texts = (
            f"首页 | 关于我们 | 产品中心 | 新闻中心 | 联系我们 | {place}",
            f"Home > Products > News > About us > Contact > Page{n}",
            "首页  登录  注册  购物车  我的订单  会员中心",
            f"© 20{n % 10 + 15} {place}农业合作社 保留所有权利",
            f"赣ICP备20{self._number(100000, 999999)}号-{n}",
            f"当前位置：首页 > 新闻 > {place}{n}",
            f"浏览次数：{self._number(100, 99999)}",
            f"第 {n} 页 共 {n + 3} 页",
            "扫一扫关注公众号",
            "We use cookies to make this site work for you. Accept all cookies",
            f"上一条：{place}开园公告{n}",
            f"技术支持：{place}网络科技",
            "返回顶部",
            f"Copyright {n + 1950} {place} Farm. All rights reserved",
            f"友情链接：{place}政府网 {place}农业信息网",
        )
        text = self._pick(texts)
        return [Part("boilerplate", adder(text), (text,))]

    def _garble(self) -> list[Part]:
        text = self._sentence() + self._sentence()
        way = self._number(0, 3)
        if way == 0:
            broken = text.encode().decode("gb18030", "replace").replace("\ufffd", "")
        elif way == 1:
            broken = text.encode().decode("cp1252", "ignore")
        elif way == 2:
            broken = "".join(c if self._chance.random() > 0.2 else "\ufffd" for c in text)
        else:
            broken = f"{text[:6]}锟斤拷锟斤拷{text[8:12]}锟斤拷"
        return [Part("garble", adder(broken), (broken.strip(),))]

    def _ocr_noise(self) -> list[Part]:
        text, n = self._sentence(), self._number(1, 9)
        way = self._number(0, 4)
        if way == 0:
            broken = " ".join(text[: self._number(8, 16)]) + text[16:]
        elif way == 1:
            marks = "|~^`¦§_=<>"
            broken = "".join(
                c + (self._pick(tuple(marks)) if self._chance.random() < 0.3 else "") for c in text
            )
        elif way == 2:
            broken = f"{text[:-1]}，每箱{n}O元，另加运费l{n}元。"
        elif way == 3:
            words = self._english().replace("e", "0", 2).replace("l", "1", 2).replace("i", "1", 2)
            broken = words + " The f1rst b0x 1s c1osed at the d0or."
        else:
            broken = f"T h e  o r d e r {n} s h i p p e d {text}".replace("  ", " ")
        return [Part("ocr_noise", adder(broken), (broken,))]

    def _truncated_table(self) -> list[Part]:
        rows = self._rows(self._number(6, 9))
        place = self._number(2, len(rows) - 1)
        keep = self._number(2, 4)
        rows[place] = rows[place][:keep]
        return [Part("truncated_table", table_adder(rows), (rows[place][0],))]

    def _repeated_header(self) -> list[Part]:
        rows = self._rows(self._number(6, 9))
        place = self._number(3, len(rows) - 1)
        rows.insert(place, list(rows[0]))
        mark = " | ".join(rows[0])
        return [Part("repeated_header", table_adder(rows), (mark,))]

    def _near_duplicate(self) -> list[Part]:
        text = self._sentence() + self._sentence() + self._sentence()
        other = text
        if self._chance.random() < 0.6:
            other = text.replace("，", ",", 1).replace("我们", "咱们", 1)
        else:
            other = text.replace("。", "！", 1)
        if self._chance.random() < 0.2:
            other = text
        both = adder(text), adder(other)

        def add(builder: DocumentBuilder) -> None:
            both[0](builder)
            builder.add("paragraph", self._sentence())
            both[1](builder)

        return [Part("near_duplicate", add, (other,))]

    def _contradiction(self) -> tuple[Part, Part]:
        """The same thing at two prices or days, in sentences or in rows."""
        subject = (
            f"{self._pick(_PLACE)}{self._pick(_FRUIT)}{next(self._codes)}号{self._pick(_SIZE)}"
        )
        low = self._number(11, 400)
        way = self._number(0, 3)
        if way == 0:
            a, b = (f"{subject}的零售价是{low + add}元。" for add in (0, self._number(1, 9)))
            return Part("", adder(a)), Part("contradiction", adder(b), (b,))
        if way == 1:
            day = TODAY + timedelta(days=low)
            other = day + timedelta(days=self._number(1, 20))
            a, b = (f"{subject}的截止日期为{d.year}年{d.month}月{d.day}日。" for d in (day, other))
            return Part("", adder(a)), Part("contradiction", adder(b), (b,))
        if way == 2:
            name = f"crate number {next(self._codes)}"
            a, b = (f"The price of the {name} is {low + add} yuan." for add in (0, 7))
            return Part("", adder(a)), Part("contradiction", adder(b), (b,))
        one, other = self._rows(5), self._rows(5)
        other[2] = [*one[3][:3], f"{low}.5{self._number(1, 9)}", *one[3][4:]]
        if one[3][3] == "面议":
            one[3][3] = f"{low + 1}.00"
        return (
            Part("", table_adder(one)),
            Part("contradiction", table_adder(other), (other[2][0],)),
        )

    def _odd_value(self) -> list[Part]:
        rows = self._rows(self._number(7, 10))
        place, column = self._number(1, len(rows) - 1), self._pick(["3", "4", "5"])
        odd = {
            "3": ("见附件图片", "十八块多", "19..90", "#VALUE!", "问老王"),
            "4": ("很多", "A区三排", "数不清", "约半车", "2026-03-01"),
            "5": ("去年秋天", "128", "十月初", "不记得了", "99.00"),
        }[column]
        rows[place][int(column)] = self._pick(odd)
        return [Part("odd_value", table_adder(rows), (rows[place][0],))]

    def _placeholder(self) -> list[Part]:
        n, place = self._number(2, 99), self._pick(_PLACE)
        texts = (
            f"本合同由XXX公司与{place}合作社于20XX年签订，共{n}条。",
            f"客服电话：【待补充】，{place}站点{n}。",
            f"{place}店营业时间：TODO，{n}号柜台另行通知。",
            f"收款账户：[填写账户名称]，开户行{place}支行{n}。",
            f"Lorem ipsum dolor sit amet, consectetur {n} elit.",
            f"尊敬的{{{{customer_name}}}}，您的{place}订单{n}已发货。",
            f"退货地址：____________________，{place}{n}号。",
            f"Dear <name>, your order {n} from {place} has been received.",
            f"交货日期为____年____月____日，地点{place}{n}。",
            f"此处填写{place}的保修政策{n}。",
            f"Delivery takes TBD days to zone {n}.",
        )
        text = self._pick(texts)
        return [Part("placeholder", adder(text), (text,))]

    def _stale(self) -> list[Part]:
        day = TODAY - timedelta(days=self._number(5, 800))
        first = day - timedelta(days=self._number(5, 40))
        fruit, n = self._pick(_FRUIT), self._number(2, 99)
        texts = (
            f"{fruit}优惠活动时间：{first.year}年{first.month}月{first.day}日至{day.year}年{day.month}月{day.day}日，满{n}元减十元。",
            f"{fruit}预售报名截止日期：{day.isoformat()}，名额{n}个。",
            f"优惠券{n}号有效期至{day.year}年{day.month}月{day.day}日，过期作废。",
            f"Offer {n} on {fruit} valid until {day.isoformat()}, one per customer.",
            f"特价{fruit}{n}元一箱，截止到{day.year}.{day.month}.{day.day}。",
        )
        text = self._pick(texts)
        return [Part("stale", adder(text), (text,))]


def adder(text: str, kind: BlockKind = "paragraph") -> Callable[[DocumentBuilder], None]:
    return lambda builder: builder.add(kind, text)


def table_adder(rows: list[list[str]]) -> Callable[[DocumentBuilder], None]:
    def add(builder: DocumentBuilder) -> None:
        add_table(builder, rows, header_rows=1)

    return add


def text_part(text: str, kind: BlockKind = "paragraph") -> Part:
    return Part("", adder(text, kind))


def table_part(rows: list[list[str]]) -> Part:
    return Part("", table_adder(rows))
