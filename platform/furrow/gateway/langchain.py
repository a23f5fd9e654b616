"""LangChain's face of the gateway, so that any chain goes through the one door."""

from langchain_core.embeddings import Embeddings

from furrow.gateway.embeddings import embed_texts


class FurrowEmbeddings(Embeddings):
    """Embeds with the configured model unless another is named."""

    def __init__(self, model: str | None = None) -> None:
        self.model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return embed_texts(texts, model=self.model, priority="batch")

    def embed_query(self, text: str) -> list[float]:
        return embed_texts([text], model=self.model, priority="interactive")[0]
