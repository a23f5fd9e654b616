"""Builds the vector index of a large knowledge base by hand."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from furrow.core.context import unscoped
from furrow.knowledge.models import KnowledgeBase
from furrow.knowledge.vector_index import vector_index_build


class Command(BaseCommand):
    help = (
        "Build the HNSW index of a knowledge base that has more vectors than VECTOR_EXACT_LIMIT. "
        "Normally a background job does this; needs DATABASE_OWNER_URL."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("knowledge_base_id", type=UUID)

    def handle(self, *args: Any, **options: Any) -> None:
        with unscoped("find the tenant of a knowledge base for the operator"):
            base = KnowledgeBase.objects.filter(
                id=options["knowledge_base_id"], deleted_at=None
            ).first()
        if base is None:
            raise CommandError("There is no knowledge base with this id.")
        if vector_index_build(base.tenant_id, base.id):
            self.stdout.write("The index is built.")
        else:
            self.stdout.write("The base is small enough to be searched exactly; nothing was built.")
