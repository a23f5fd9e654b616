from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "furrow.conversations"
    label = "conversations"

    def ready(self) -> None:
        # They name models, which load after the app configs.
        from furrow.conversations.reply_mail import MAIL_JOB, ReplyMailHandler  # noqa: PLC0415
        from furrow.conversations.services import TURN_JOB  # noqa: PLC0415
        from furrow.conversations.turns import TurnHandler  # noqa: PLC0415
        from furrow.core.extensions import extensions  # noqa: PLC0415

        extensions.register("job_handlers", TURN_JOB, TurnHandler())
        extensions.register("job_handlers", MAIL_JOB, ReplyMailHandler())
