"""Structured output: which tokens may come next, by llguidance when it is installed."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# With free whitespace a small model may write spaces for ever.
JSON_LAYOUT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}

# Compiled grammars that are kept for the next request.
MAX_COMPILED = 64


class GrammarUnavailable(Exception):
    """No library for structured output is installed, or the tokenizer does not suit it."""


class GrammarRefused(Exception):
    """The schema or grammar cannot be compiled; the message says why."""


class Grammar(Protocol):
    """The state of one sequence in its grammar."""

    def allowed(self, vocabulary: int) -> NDArray[np.bool_]:
        """The tokens that may come next, one flag for each id below `vocabulary`."""
        ...

    def accept(self, token: int) -> None: ...

    @property
    def is_over(self) -> bool:
        """Whether nothing but the end may follow."""
        ...


class GrammarCompiler(Protocol):
    def check(self, source: str) -> None:
        """Raises GrammarRefused or GrammarUnavailable."""
        ...

    def start(self, source: str) -> Grammar: ...


def json_grammar(schema: dict[str, Any]) -> str:
    """The grammar source for a JSON schema."""
    library = _library()
    try:
        source: str = library.LLMatcher.grammar_from_json_schema(schema, overrides=JSON_LAYOUT)
    except ValueError as error:
        raise GrammarRefused(str(error)) from error
    return source


def lark_grammar(text: str) -> str:
    """The grammar source for a Lark grammar."""
    source: str = _library().LLMatcher.grammar_from_lark(text)
    return source


class LlguidanceCompiler:
    """Compiles for one tokenizer, which is read at the first use (about a second).

    Grammars are compiled by `check`, on the thread of the caller, and kept: a large schema
    takes up to a second, for which the engine must not stand still.
    """

    def __init__(self, tokenizer_json: Callable[[], str], vocabulary: int, eos: list[int]) -> None:
        self._tokenizer_json = tokenizer_json
        self._vocabulary = vocabulary
        self._eos = eos
        self._tokenizer: Any = None
        self._lock = threading.Lock()
        self._compiled: OrderedDict[str, Any] = OrderedDict()

    def check(self, source: str) -> None:
        self._matcher(source)

    def start(self, source: str) -> Grammar:
        return _LlguidanceGrammar(self._matcher(source).deep_copy())

    def _matcher(self, source: str) -> Any:
        with self._lock:
            known = self._compiled.pop(source, None)
            if known is not None:
                self._compiled[source] = known
                return known
            tokenizer = self._loaded()
        matcher = _library().LLMatcher(tokenizer, source, log_level=0)
        if matcher.is_error():
            raise GrammarRefused(matcher.get_error().splitlines()[0])
        with self._lock:
            self._compiled[source] = matcher
            if len(self._compiled) > MAX_COMPILED:
                self._compiled.popitem(last=False)
        return matcher

    def _loaded(self) -> Any:
        if self._tokenizer is None:
            if not self._eos:
                raise GrammarUnavailable("The model names no token that ends an answer.")
            try:
                self._tokenizer = _library().LLTokenizer(
                    self._tokenizer_json(), n_vocab=self._vocabulary, eos_token=self._eos
                )
            except ValueError as error:
                raise GrammarUnavailable(
                    "Structured output does not know this model's kind of tokenizer."
                ) from error
        return self._tokenizer


class _LlguidanceGrammar:
    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    def allowed(self, vocabulary: int) -> NDArray[np.bool_]:
        words = np.zeros(-(-vocabulary // 32), dtype="<i4")
        self._matcher.unsafe_compute_mask_ptr(words.ctypes.data, words.nbytes)
        bits = np.unpackbits(words.view(np.uint8), bitorder="little")
        return bits[:vocabulary].view(np.bool_)

    def accept(self, token: int) -> None:
        if not self._matcher.consume_token(token):
            raise GrammarRefused(self._matcher.get_error())

    @property
    def is_over(self) -> bool:
        return bool(self._matcher.is_stopped())


def _library() -> Any:
    if find_spec("llguidance") is None:
        raise GrammarUnavailable(
            "Structured output needs llguidance: install the 'inference' extra."
        )
    # By name: the server does without it until someone asks for structured output.
    return import_module("llguidance")
