"""What the demo loads: tenants, knowledge bases, files, assistants, approved answers, questions.

``TENANTS`` is plain data, built at import from the committed sources; nothing here touches the
database. ``QUESTIONS`` maps a tenant's slug to its sample questions, for tests and measurement.
"""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from furrow.ops.demo.sources import FILES, SOURCES, filled

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    slug: str
    name: str
    language: Language


@dataclass(frozen=True, slots=True)
class DemoFile:
    name: str
    title: str
    language: Language
    knowledge_base: str
    path: Path


@dataclass(frozen=True, slots=True)
class Assistant:
    slug: str
    name: str
    greeting_zh: str
    greeting_en: str
    instructions: str
    suggestions_zh: tuple[str, ...]
    suggestions_en: tuple[str, ...]
    knowledge_bases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApprovedAnswer:
    language: Language
    question: str
    variants: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Question:
    """A sample question. Without a file it is out of scope: the right answer is "I do not know".

    ``expected`` pieces all stand in the file, and for a PDF all on each of ``pages`` (from 1).
    Compare with ``holds``: layout may break a line anywhere. Another file may state the same
    fact; ``file`` is the one a person would open first.
    """

    language: Language
    text: str
    file: str | None
    pages: tuple[int, ...]
    expected: tuple[str, ...]

    @property
    def is_in_scope(self) -> bool:
        return self.file is not None

    def holds(self, text: str) -> bool:
        """Whether an answer or a passage has every expected piece, white space aside."""
        bare = _bare(text)
        return self.is_in_scope and all(_bare(piece) in bare for piece in self.expected)


@dataclass(frozen=True, slots=True)
class DemoTenant:
    slug: str
    name_zh: str
    name_en: str
    locale: str
    logo: Path
    knowledge_bases: tuple[KnowledgeBase, ...]
    files: tuple[DemoFile, ...]
    assistants: tuple[Assistant, ...]
    approved: tuple[ApprovedAnswer, ...]
    questions: tuple[Question, ...]


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _approved(tenant: str) -> tuple[ApprovedAnswer, ...]:
    rows = json.loads(filled(tenant, "approved.json"))
    return tuple(
        ApprovedAnswer(row["language"], row["question"], tuple(row["variants"]), row["answer"])
        for row in rows
    )


def _questions(tenant: str) -> tuple[Question, ...]:
    path = SOURCES / tenant / "questions.tsv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple(
        Question(
            language="zh" if row["language"] == "zh" else "en",
            text=row["question"],
            file=row["file"] or None,
            pages=tuple(int(page) for page in row["page"].split("|") if page),
            expected=tuple(piece for piece in row["expected"].split("|") if piece),
        )
        for row in rows
    )


def _file(tenant: str, name: str, title: str, language: Language, base: str) -> DemoFile:
    return DemoFile(name, title, language, base, FILES / tenant / name)


ORCHARD = DemoTenant(
    slug="orchard",
    name_zh="青禾果园",
    name_en="Greenstalk Orchard",
    locale="zh-hans",
    logo=FILES / "orchard" / "logo.svg",
    knowledge_bases=(
        KnowledgeBase("shop-zh", "店铺资料（中文）", "zh"),
        KnowledgeBase("shop-en", "Shop documents (English)", "en"),
    ),
    files=(
        _file("orchard", "faq_zh.md", "青禾果园常见问题", "zh", "shop-zh"),
        _file("orchard", "products.xlsx", "产品目录与运费表", "zh", "shop-zh"),
        _file("orchard", "shipping_and_claims.pdf", "配送与售后赔付规则", "zh", "shop-zh"),
        _file("orchard", "storage_guide.docx", "水果储存与食用指南", "zh", "shop-zh"),
        _file(
            "orchard", "price_sheet_scan.pdf", "2025–2026产季批发价目表（扫描）", "zh", "shop-zh"
        ),
        _file("orchard", "harvest_notice.jpg", "到果通知（照片）", "zh", "shop-zh"),
        _file("orchard", "faq_en.md", "Frequently asked questions", "en", "shop-en"),
        _file(
            "orchard", "shipping_and_claims_en.pdf", "Shipping and claims policy", "en", "shop-en"
        ),
    ),
    assistants=(
        Assistant(
            slug="shop-assistant",
            name="小青 · 果园客服",
            greeting_zh="您好，我是青禾果园的小青。价格、运费、发货、售后和储存都可以问我。",
            greeting_en="Hello, I am the Greenstalk assistant. Ask me about prices, shipping, "
            "claims or how to store your fruit.",
            instructions="只根据店铺资料回答，先给结论，再给条件。价格、天数和比例照原文写。"
            "坏果问题先问签收时间和照片。资料里没有的，说不知道并请顾客联系人工。",
            suggestions_zh=("收到坏果怎么办？", "脐橙大果多少钱一箱？", "新疆能发货吗？"),
            suggestions_en=(
                "Some fruit arrived bad. What should I do?",
                "When is shipping free?",
                "How do I ripen kiwis?",
            ),
            knowledge_bases=("shop-zh", "shop-en"),
        ),
    ),
    approved=_approved("orchard"),
    questions=_questions("orchard"),
)

LAWOFFICE = DemoTenant(
    slug="lawoffice",
    name_zh="临溪律师事务所",
    name_en="Linxi Law Office",
    locale="zh-hans",
    logo=FILES / "lawoffice" / "logo.svg",
    knowledge_bases=(
        KnowledgeBase("office", "本所规范与客户问答", "zh"),
        KnowledgeBase("contracts", "合同范本", "zh"),
    ),
    files=(
        _file("lawoffice", "client_faq.md", "客户常见问题 / Client FAQ", "zh", "office"),
        _file("lawoffice", "office_policy.docx", "内部管理与服务规范", "zh", "office"),
        _file("lawoffice", "lease_contract_zh.docx", "商铺租赁合同", "zh", "contracts"),
        _file(
            "lawoffice",
            "supply_contract_en.pdf",
            "Agricultural Supply Agreement",
            "en",
            "contracts",
        ),
    ),
    assistants=(
        Assistant(
            slug="reception",
            name="临溪前台",
            greeting_zh="您好，这里是临溪律师事务所。收费、预约和常见期限可以问我；个案请约律师面谈。",
            greeting_en="Welcome to Linxi Law Office. Ask me about fees, appointments and common "
            "deadlines; for your own case please book a lawyer.",
            instructions="只引用本所资料作一般说明，不对个案下结论，不预测胜负。期限和收费照原文写，"
            "并提醒以裁判文书载明的为准。不要请对方透露案件细节。",
            suggestions_zh=("第一次咨询要钱吗？", "收到判决多久内上诉？", "审一份合同多少钱？"),
            suggestions_en=(
                "Is the first consultation free?",
                "How long do I have to appeal?",
                "What does a contract review cost?",
            ),
            knowledge_bases=("office",),
        ),
        Assistant(
            slug="contract-desk",
            name="合同助手",
            greeting_zh="我可以在本所的合同里查条款，并给出页码或条号。",
            greeting_en="I look up clauses in the office's contracts and show where they stand.",
            instructions="回答时写明合同名称和条号，逐字引用条款，不作解释性推断。",
            suggestions_zh=("第三年的月租金是多少？", "提前解除要提前多久通知？"),
            suggestions_en=(
                "When must the buyer inspect a delivery?",
                "What interest applies to late payment?",
            ),
            knowledge_bases=("contracts", "office"),
        ),
    ),
    approved=_approved("lawoffice"),
    questions=_questions("lawoffice"),
)

TENANTS = (ORCHARD, LAWOFFICE)
QUESTIONS = {tenant.slug: tenant.questions for tenant in TENANTS}
