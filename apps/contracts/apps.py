from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContractsConfig(AppConfig):
    name = "apps.contracts"
    label = "contracts"

    def ready(self) -> None:
        # These name models, which load after the app configs.
        from apps.contracts.asking.run import InquiryHandler  # noqa: PLC0415
        from apps.contracts.demo import demo_load  # noqa: PLC0415
        from apps.contracts.jobs import ASK, READ, REVIEW  # noqa: PLC0415
        from apps.contracts.reviewing.reading import ReadHandler  # noqa: PLC0415
        from apps.contracts.reviewing.run import RUN_FINISHED, ReviewHandler  # noqa: PLC0415
        from apps.contracts.services.purge import deleted_purge  # noqa: PLC0415
        from apps.contracts.wording import ACTIONS, API_GROUPS  # noqa: PLC0415
        from furrow.core.extensions import DashboardSection, extensions  # noqa: PLC0415
        from furrow.dashboard.wording import words_add  # noqa: PLC0415

        extensions.register("job_handlers", READ, ReadHandler())
        extensions.register("job_handlers", REVIEW, ReviewHandler())
        extensions.register("job_handlers", ASK, InquiryHandler())
        extensions.register("webhook_events", RUN_FINISHED, _("The review of a contract is over"))
        extensions.register("api_routers", "contracts", "apps.contracts.api.routes.router")
        extensions.register("demo_loaders", "contracts", demo_load)
        extensions.register("dashboard_urls", "contracts", "apps.contracts.urls")
        extensions.register("upkeep", "contracts", deleted_purge)
        words_add(actions=ACTIONS, api_groups=API_GROUPS)
        extensions.register("trades", "contracts", _("Contract review"))
        section = DashboardSection(
            "contracts", _("Contracts"), "contracts:contracts", "shield", 78, trade="contracts"
        )
        extensions.register("dashboard_sections", section.key, section)
