"""Starting points for an assistant. A trade app registers its own under `assistant_templates`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furrow.core.extensions import extensions


@dataclass(frozen=True)
class AssistantTemplate:
    """`settings` is a partial settings object (see `config.settings_check`); empty `rungs` mean the default."""

    key: str
    name: str | Promise
    description: str | Promise
    instructions: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    rungs: tuple[str, ...] = ()


GENERAL = AssistantTemplate(
    key="general",
    name=_("General"),
    description=_("Answers questions from your documents."),
    settings={
        "greeting": {
            "zh": "您好！我会根据资料回答问题，请问想了解什么？",
            "en": "Hello! I answer from our documents. What would you like to know?",
        },
        "suggestions": {
            "zh": ["你们提供哪些服务？", "营业时间是几点？", "怎么联系你们？"],
            "en": [
                "What services do you offer?",
                "What are your opening hours?",
                "How can I contact you?",
            ],
        },
    },
)

SHOP = AssistantTemplate(
    key="shop",
    name=_("Shop"),
    description=_("Prices, delivery, returns and claims for an online shop."),
    instructions="只根据店铺资料回答，先给结论，再给条件。价格、天数和比例照原文写。",
    settings={
        "greeting": {
            "zh": "您好，欢迎光临！商品、价格、运费和售后都可以问我。",
            "en": "Welcome! Ask me about products, prices, delivery and claims.",
        },
        "suggestions": {
            "zh": ["多久能发货？", "运费怎么算？", "收到的商品坏了怎么办？"],
            "en": [
                "When will my order be sent?",
                "How much is delivery?",
                "My order arrived damaged. What should I do?",
            ],
        },
    },
)

OFFICE = AssistantTemplate(
    key="office",
    name=_("Office"),
    description=_("Appointments, fees and documents for a professional office."),
    instructions="只引用本所资料作一般说明，不对个案下结论。期限和收费照原文写。",
    settings={
        "greeting": {
            "zh": "您好，收费、预约和办事材料可以问我；具体个案请预约面谈。",
            "en": "Welcome. Ask me about fees, appointments and what to bring; for your own case "
            "please book a meeting.",
        },
        "suggestions": {
            "zh": ["怎么收费？", "怎么预约？", "需要带哪些材料？"],
            "en": [
                "What does it cost?",
                "How do I make an appointment?",
                "What do I need to bring?",
            ],
        },
        "quote_limit": 2,
    },
)

TEMPLATES = (GENERAL, SHOP, OFFICE)


def template_get(key: str) -> AssistantTemplate | None:
    """None for a template whose trade app was taken out; its assistants keep working on the defaults."""
    return extensions.assistant_templates.get(key)


def templates_list() -> list[AssistantTemplate]:
    return list(extensions.assistant_templates.values())
