from django.apps import AppConfig


class AssistantsConfig(AppConfig):
    name = "furrow.assistants"
    label = "assistants"

    def ready(self) -> None:
        # These name models, which load after the app configs.
        from furrow.assistants import rungs, templates  # noqa: PLC0415
        from furrow.assistants.evaluation.asking import EvaluationHandler  # noqa: PLC0415
        from furrow.assistants.evaluation.runs import RUN_JOB  # noqa: PLC0415
        from furrow.core.extensions import extensions  # noqa: PLC0415

        for rung in rungs.all_rungs():
            extensions.register("rungs", rung.name, rung)
        for template in templates.TEMPLATES:
            extensions.register("assistant_templates", template.key, template)
        extensions.register("job_handlers", RUN_JOB, EvaluationHandler())
