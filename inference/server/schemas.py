"""The bodies of embedding and rerank requests, checked; every refusal names the field."""

from dataclasses import dataclass
from typing import Any, Literal

from inference.config import Limits
from inference.pooling.tokens import TokenIds
from inference.server.errors import InvalidRequest
from inference.server.fields import body_parse, is_unicode, is_whole

FIELDS = {"input", "model", "encoding_format", "dimensions", "user"}
RERANK_FIELDS = {"model", "query", "documents", "top_n", "return_documents", "user"}


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Either `texts` or `token_ids` holds the inputs, the other is empty."""

    model: str
    texts: list[str]
    token_ids: list[TokenIds]
    encoding_format: Literal["float", "base64"]
    dimensions: int | None

    @property
    def inputs(self) -> int:
        return len(self.texts) or len(self.token_ids)


def embedding_request_parse(body: bytes, limits: Limits) -> EmbeddingRequest:
    """Raises InvalidRequest; checks everything that needs no model."""
    fields = body_parse(body, FIELDS)
    texts, token_ids = fields.texts_or_ids("input", limits.max_inputs)
    _check_chars(sum(map(len, texts)), limits, "input")
    return EmbeddingRequest(
        model=fields.required_text("model"),
        texts=texts,
        token_ids=token_ids,
        encoding_format=_parse_format(fields.raw("encoding_format")),
        dimensions=_parse_dimensions(fields.raw("dimensions")),
    )


def _parse_format(value: Any) -> Literal["float", "base64"]:
    if value is None or value == "float":
        return "float"
    if value == "base64":
        return "base64"
    raise InvalidRequest("'encoding_format' must be 'float' or 'base64'.", param="encoding_format")


def _parse_dimensions(value: Any) -> int | None:
    if value is None or (is_whole(value) and value > 0):
        return value  # type: ignore[no-any-return]  # None or an int, checked above
    raise InvalidRequest("'dimensions' must be a positive integer.", param="dimensions")


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """`top_n` None returns every document."""

    model: str
    query: str
    documents: list[str]
    top_n: int | None
    returns_documents: bool


def rerank_request_parse(body: bytes, limits: Limits) -> RerankRequest:
    """Raises InvalidRequest; checks everything that needs no model."""
    fields = body_parse(body, RERANK_FIELDS)
    documents = [_document(entry) for entry in fields.listing("documents", limits.max_inputs)]
    query = fields.required_text("query")
    _check_chars(sum(map(len, documents)) + len(query) * len(documents), limits, "documents")
    return RerankRequest(
        model=fields.required_text("model"),
        query=query,
        documents=documents,
        top_n=fields.whole("top_n", None, 1, 2**31),
        returns_documents=fields.flag("return_documents"),
    )


def _document(entry: Any) -> str:
    text = entry.get("text") if isinstance(entry, dict) else entry
    if not isinstance(text, str) or not text or not is_unicode(text):
        raise InvalidRequest("'documents' must hold texts.", param="documents")
    return text


def _check_chars(chars: int, limits: Limits, param: str) -> None:
    if chars > limits.max_chars:
        raise InvalidRequest(
            f"'{param}' come to {chars} characters, at most {limits.max_chars} are taken.",
            param=param,
            code="too_many_characters",
        )
