from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "furrow.knowledge"
    label = "knowledge"

    def ready(self) -> None:
        # These name models, which load after the app configs.
        from furrow.core.extensions import extensions  # noqa: PLC0415
        from furrow.knowledge import jobs  # noqa: PLC0415
        from furrow.knowledge.backfill import EmbedHandler  # noqa: PLC0415
        from furrow.knowledge.disagreements import DisagreementsHandler  # noqa: PLC0415
        from furrow.knowledge.ingest import IngestHandler  # noqa: PLC0415
        from furrow.knowledge.lexical.compaction import CompactionHandler  # noqa: PLC0415
        from furrow.knowledge.relations import RelationsHandler  # noqa: PLC0415
        from furrow.knowledge.vector_index import VectorIndexHandler  # noqa: PLC0415

        extensions.register("job_handlers", jobs.INGEST, IngestHandler())
        extensions.register("job_handlers", jobs.EMBED, EmbedHandler())
        extensions.register("job_handlers", jobs.COMPACT, CompactionHandler())
        extensions.register("job_handlers", jobs.VECTOR_INDEX, VectorIndexHandler())
        extensions.register("job_handlers", jobs.RELATIONS, RelationsHandler())
        extensions.register("job_handlers", jobs.DISAGREEMENTS, DisagreementsHandler())
