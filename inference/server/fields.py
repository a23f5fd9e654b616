"""Reading the fields of a JSON body, each refusal with the field's name."""

import json
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from inference.pooling.tokens import TokenIds
from inference.server.errors import InvalidRequest

T = TypeVar("T")


def body_parse(body: bytes, known: Collection[str]) -> "Fields":
    """Raises InvalidRequest for anything but an object of known fields."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The body is not valid JSON.", code="invalid_json") from error
    if not isinstance(fields, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_json")
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise InvalidRequest(
            "The request has a field that is not known.",
            param=unknown[0][:64],
            code="unknown_parameter",
        )
    return Fields(fields)


class Fields:
    """The fields of one object; null means the same as absence."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = {key: value for key, value in fields.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def raw(self, name: str) -> Any:
        return self._fields.get(name)

    def number(self, name: str, default: float, least: float, most: float) -> float:
        value = self._fields.get(name, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # Written so that NaN, which is neither above nor below, is refused.
        if not is_number or not least <= value <= most:
            raise InvalidRequest(
                f"'{name}' must be a number from {least:g} to {most:g}.", param=name
            )
        return float(value)

    def whole(self, name: str, default: T, least: int, most: int) -> int | T:
        if name not in self._fields:
            return default
        value = self._fields[name]
        if not is_whole(value) or not least <= value <= most:
            raise InvalidRequest(
                f"'{name}' must be a whole number from {least} to {most}.", param=name
            )
        return int(value)

    def flag(self, name: str) -> bool:
        return self._checked(name, False, lambda value: isinstance(value, bool), "true or false")

    def text(self, name: str, default: str | None = None, *, most: int = 1_000_000) -> str | None:
        return self._checked(
            name,
            default,
            lambda value: isinstance(value, str) and len(value) <= most and is_unicode(value),
            f"a string of at most {most} characters",
        )

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise InvalidRequest(f"'{name}' must be a string.", param=name)
        return value

    def object(self, name: str) -> dict[str, Any]:
        return self._checked(name, {}, lambda value: isinstance(value, dict), "an object")

    def listing(self, name: str, most: int) -> list[Any]:
        """A list of one to `most` entries."""
        value = self._fields.get(name)
        if not isinstance(value, list) or not value:
            raise InvalidRequest(f"'{name}' must be a list.", param=name)
        if len(value) > most:
            raise InvalidRequest(
                f"'{name}' has {len(value)} entries, at most {most} are taken.",
                param=name,
                code="too_many_inputs",
            )
        return value

    def texts_or_ids(self, name: str, most: int) -> tuple[list[str], list[TokenIds]]:
        """Texts, or lists of token ids, whether one or up to `most` were given."""
        value = self._fields.get(name)
        if isinstance(value, str) or (isinstance(value, list) and value and is_whole(value[0])):
            value = [value]
        if not isinstance(value, list) or not value:
            text = f"'{name}' must be a text, a list of texts, token ids, or a list of those."
            raise InvalidRequest(text, param=name)
        entries = self.listing(name, most) if len(value) > 1 else value
        if not all(entries):
            raise InvalidRequest(f"'{name}' has an empty entry.", param=name)
        if all(isinstance(entry, str) for entry in entries):
            if not is_unicode("".join(entries)):
                raise InvalidRequest(f"'{name}' is not valid Unicode.", param=name)
            return entries, []
        if all(isinstance(entry, list) and all(map(is_whole, entry)) for entry in entries):
            return [], entries
        raise InvalidRequest(f"'{name}' mixes kinds or holds another kind of value.", param=name)

    def list_of_objects(self, name: str) -> list[dict[str, Any]]:
        def is_right(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)

        return self._checked(name, [], is_right, "a list of objects")

    def _checked(self, name: str, default: T, is_right: Callable[[Any], bool], what: str) -> T:
        if name not in self._fields:
            return default
        value: T = self._fields[name]
        if not is_right(value):
            raise InvalidRequest(f"'{name}' must be {what}.", param=name)
        return value


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_unicode(text: str) -> bool:
    """JSON can spell halves of surrogate pairs, which tokenizers cannot take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
