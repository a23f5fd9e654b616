"""LangChain's face of the search, so that any chain reads the tenant's documents and nothing else's."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from furrow.knowledge.search import search


class FurrowRetriever(BaseRetriever):
    """Searches as the current tenant; embedding the question is metered by the gateway."""

    knowledge_base_ids: Sequence[UUID]
    limit: int = 8
    mode: Literal["hybrid", "lexical", "vector"] = "hybrid"

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        found = search(
            knowledge_base_ids=self.knowledge_base_ids,
            query=query,
            limit=self.limit,
            mode=self.mode,
        )
        return [
            Document(
                id=str(hit.chunk_id),
                page_content=hit.text,
                metadata={
                    "document_id": str(hit.document_id),
                    "title": hit.title,
                    "heading_path": hit.heading_path,
                    "page": hit.page,
                    "start": hit.start,
                    "end": hit.end,
                    "score": hit.score,
                },
            )
            for hit in found.hits
        ]
