"""The body of an embeddings request, checked; every refusal names the field."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from inference.config import Limits
from inference.pooling.tokens import TokenIds
from inference.server.errors import InvalidRequest

FIELDS = {"input", "model", "encoding_format", "dimensions", "user"}


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
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The body is not valid JSON.", code="invalid_json") from error
    if not isinstance(fields, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_json")
    unknown = sorted(set(fields) - FIELDS)
    if unknown:
        raise InvalidRequest(
            "The request has a field that is not known.",
            param=unknown[0][:64],
            code="unknown_parameter",
        )
    texts, token_ids = _parse_input(fields.get("input"), limits)
    return EmbeddingRequest(
        model=_parse_model(fields.get("model")),
        texts=texts,
        token_ids=token_ids,
        encoding_format=_parse_format(fields.get("encoding_format")),
        dimensions=_parse_dimensions(fields.get("dimensions")),
    )


def _parse_model(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidRequest("'model' must be a string.", param="model")
    return value


def _parse_format(value: Any) -> Literal["float", "base64"]:
    if value is None or value == "float":
        return "float"
    if value == "base64":
        return "base64"
    raise InvalidRequest("'encoding_format' must be 'float' or 'base64'.", param="encoding_format")


def _parse_dimensions(value: Any) -> int | None:
    if value is None or (_is_int(value) and value > 0):
        return value  # type: ignore[no-any-return]  # None or an int, checked above
    raise InvalidRequest("'dimensions' must be a positive integer.", param="dimensions")


def _parse_input(value: Any, limits: Limits) -> tuple[list[str], list[TokenIds]]:
    if isinstance(value, str) or (isinstance(value, list) and value and _is_int(value[0])):
        value = [value]
    if not isinstance(value, list) or not value:
        raise InvalidRequest(
            "'input' must be a string, a list of strings or lists of token ids.", param="input"
        )
    if len(value) > limits.max_inputs:
        raise InvalidRequest(
            f"'input' has {len(value)} entries, at most {limits.max_inputs} are taken.",
            param="input",
            code="too_many_inputs",
        )
    if all(isinstance(entry, str) for entry in value):
        return _checked_texts(value, limits), []
    if all(isinstance(entry, list) and all(map(_is_int, entry)) for entry in value):
        if not all(value):
            raise InvalidRequest("'input' has an empty entry.", param="input")
        return [], value
    raise InvalidRequest("'input' mixes kinds or holds another kind of value.", param="input")


def _checked_texts(texts: list[str], limits: Limits) -> list[str]:
    if not all(texts):
        raise InvalidRequest("'input' has an empty entry.", param="input")
    chars = sum(map(len, texts))
    if chars > limits.max_chars:
        raise InvalidRequest(
            f"'input' has {chars} characters, at most {limits.max_chars} are taken.",
            param="input",
            code="too_many_characters",
        )
    try:
        # JSON can spell halves of surrogate pairs, which the tokenizer cannot take.
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest("'input' is not valid Unicode.", param="input") from error
    return texts


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
