from django.apps import AppConfig


class SupportConfig(AppConfig):
    name = "apps.support"
    label = "support"

    def ready(self) -> None:
        # These name models, which load after the app configs.
        from apps.support.facts.rung import ShopFacts  # noqa: PLC0415
        from furrow.core.extensions import extensions  # noqa: PLC0415

        extensions.register("facts", "support", ShopFacts())
