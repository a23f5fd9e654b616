from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "furrow.channels"
    label = "channels"

    def ready(self) -> None:
        # They name models, which load after the app configs.
        from furrow.channels.beside import panel  # noqa: PLC0415
        from furrow.channels.deliveries import DELIVERY_JOB, DeliveryHandler  # noqa: PLC0415
        from furrow.channels.news_mail import MAIL_JOB, MailHandler  # noqa: PLC0415
        from furrow.channels.outside.mail import channel as mail  # noqa: PLC0415
        from furrow.channels.outside.replies import SEND_JOB, SendHandler  # noqa: PLC0415
        from furrow.channels.outside.wechat import channel as wechat  # noqa: PLC0415
        from furrow.channels.photos import photos_purge  # noqa: PLC0415
        from furrow.channels.transcripts import TRANSCRIPT_JOB, TranscriptHandler  # noqa: PLC0415
        from furrow.core.extensions import extensions  # noqa: PLC0415

        extensions.register("inbox_panels", "channels", panel)
        extensions.register("job_handlers", DELIVERY_JOB, DeliveryHandler())
        extensions.register("job_handlers", MAIL_JOB, MailHandler())
        extensions.register("job_handlers", TRANSCRIPT_JOB, TranscriptHandler())
        extensions.register("upkeep", "photos", photos_purge)
        extensions.register("job_handlers", SEND_JOB, SendHandler())
        extensions.register("job_handlers", wechat.READ_JOB, wechat.ReadHandler())
        extensions.register("job_handlers", mail.READ_JOB, mail.ReadHandler())
