from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SupportConfig(AppConfig):
    name = "apps.support"
    label = "support"

    def ready(self) -> None:
        # These name models, which load after the app configs.
        from apps.support.demo import demo_load  # noqa: PLC0415
        from apps.support.facts.cards import cards_of  # noqa: PLC0415
        from apps.support.facts.rung import ShopFacts  # noqa: PLC0415
        from apps.support.inbox import order_variable, panel, tracking_variable  # noqa: PLC0415
        from apps.support.report import claim_costs  # noqa: PLC0415
        from apps.support.template import SHOP_FACTS  # noqa: PLC0415
        from apps.support.wording import ACTIONS, API_GROUPS, REASONS  # noqa: PLC0415
        from furrow.core.extensions import DashboardSection, extensions  # noqa: PLC0415
        from furrow.dashboard.inbox_words import variable_words_add  # noqa: PLC0415
        from furrow.dashboard.wording import words_add  # noqa: PLC0415

        extensions.register("facts", "support", ShopFacts())
        extensions.register("cards", "support", cards_of)
        words_add(actions=ACTIONS, reasons=REASONS, api_groups=API_GROUPS)
        extensions.register("assistant_templates", SHOP_FACTS.key, SHOP_FACTS)
        extensions.register("api_routers", "support", "apps.support.api.routes.router")
        extensions.register("demo_loaders", "support", demo_load)
        extensions.register("inbox_panels", "support", panel)
        extensions.register("report_tables", "support", claim_costs)
        extensions.register("reply_variables", "order", order_variable)
        extensions.register("reply_variables", "tracking", tracking_variable)
        variable_words_add(
            {
                "order": _("order number named in the chat"),
                "tracking": _("carrier and parcel number"),
            }
        )
        extensions.register("dashboard_urls", "support", "apps.support.urls")
        extensions.register("trades", "support", _("Shop: goods, orders, claims"))
        for key, label, url_name, icon, order in (
            ("support-goods", _("Goods and prices"), "goods", "sun", 72),
            ("support-orders", _("Orders"), "orders", "inbox", 74),
            ("support-claims", _("Claims"), "claims", "scales", 76),
        ):
            section = DashboardSection(
                key, label, f"support:{url_name}", icon, order, trade="support"
            )
            extensions.register("dashboard_sections", section.key, section)
