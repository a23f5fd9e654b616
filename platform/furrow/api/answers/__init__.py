"""Shapes of the REST contract's answers, as the OpenAPI document shows them, by noun; here the lists they come in."""

from typing import Generic, TypeVar

from ninja import Schema

T = TypeVar("T")


class Page(Schema, Generic[T]):
    items: list[T]
    next_cursor: str | None


class Items(Schema, Generic[T]):
    items: list[T]
