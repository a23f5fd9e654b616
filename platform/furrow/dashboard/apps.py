from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    name = "furrow.dashboard"
    label = "dashboard"

    def ready(self) -> None:
        from furrow.core.extensions import DashboardSection, extensions  # noqa: PLC0415  after models

        extensions.register("api_routers", "webhooks", "furrow.dashboard.webhooks_api.router")
        extensions.register("api_routers", "channels", "furrow.dashboard.channels_api.router")

        everyone = frozenset({"owner", "admin", "staff", "viewer"})
        leaders = frozenset({"owner", "admin"})
        for key, label, url_name, icon, order, roles in (
            ("home", _("Home"), "home", "home", 10, everyone),
            ("knowledge", _("Knowledge"), "bases", "book", 20, everyone),
            ("search", _("Search test"), "search", "search", 30, everyone),
            ("assistants", _("Assistants"), "assistants", "sprout", 40, everyone),
            ("answers", _("Approved answers"), "answers", "check-list", 50, everyone),
            ("gaps", _("Gaps"), "gaps", "gap", 60, everyone),
            ("quality", _("Golden questions"), "quality", "target", 65, everyone),
            ("inbox", _("Inbox"), "inbox", "inbox", 15, everyone),
            ("conversations", _("Conversations"), "conversations", "chat", 70, everyone),
            ("tickets", _("Tickets"), "tickets", "ticket", 80, everyone),
            ("report", _("Report"), "service", "gauge", 85, everyone),
            ("costs", _("Costs"), "costs", "coins", 90, leaders),
            ("channels", _("Channels"), "channels", "send", 190, leaders),
            ("members", _("Members"), "members", "people", 200, leaders),
            ("keys", _("API keys"), "keys", "key", 210, leaders),
            ("webhooks", _("Notifications"), "webhooks", "bell", 215, leaders),
            ("audit", _("Audit log"), "audit", "log", 220, leaders),
            ("settings", _("Business"), "settings", "settings", 230, frozenset({"owner"})),
        ):
            section = DashboardSection(key, label, f"dashboard:{url_name}", icon, order, roles)
            extensions.register("dashboard_sections", key, section)
