"""A starting point for a shop's assistant: live facts are asked before anything that was written down."""

from django.utils.translation import gettext_lazy as _

from furrow.assistants.templates import SHOP, AssistantTemplate

RUNGS = ("fact", "approved", "composed", "quoted")
SHOP_FACTS = AssistantTemplate(
    key="shop_facts",
    name=_("Shop with live facts"),
    description=_(
        "Prices, stock, orders and claims from your own tables, the rest from documents."
    ),
    instructions=SHOP.instructions,
    settings=SHOP.settings,
    rungs=RUNGS,
)
