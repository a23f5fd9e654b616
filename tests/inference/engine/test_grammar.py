"""Structured output with the real library: whatever is sampled, the text follows the schema."""

import json
import random

import numpy as np
import pytest

from inference.engine import grammar as module
from inference.engine.grammar import (
    GrammarRefused,
    GrammarUnavailable,
    LlguidanceCompiler,
    json_grammar,
    lark_grammar,
)
from inference.server.tool_calls import (
    DEEPSEEK,
    DEEPSEEK_FENCED,
    GRANITE,
    HERMES,
    ToolForm,
    ToolSplitter,
    call_grammar,
)

EOS = 256
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "ripe": {"type": "boolean"},
        "count": {"type": "integer", "minimum": 0, "maximum": 99},
    },
    "required": ["name", "ripe", "count"],
    "additionalProperties": False,
}


@pytest.fixture
def compiler(tmp_path) -> LlguidanceCompiler:
    pytest.importorskip("llguidance", reason="it comes with the 'inference' extra")
    from tests.inference.server.tiny_checkpoint import tokenizer_save  # noqa: PLC0415

    tokenizer_save(tmp_path)
    text = (tmp_path / "tokenizer.json").read_text()
    return LlguidanceCompiler(lambda: text, 262, [257])


def written(compiler: LlguidanceCompiler, source: str, seed: int) -> str:
    """A text of random allowed tokens."""
    from tokenizers import Tokenizer  # noqa: PLC0415

    dice = random.Random(seed)
    state, ids = compiler.start(source), []
    while not state.is_over:
        allowed = np.flatnonzero(state.allowed(262)).tolist()
        token = dice.choice(allowed)
        if token == 257:
            break
        state.accept(token)
        ids.append(token)
    return str(Tokenizer.from_str(compiler._tokenizer_json()).decode(ids))


@pytest.mark.parametrize("seed", range(5))
def test_any_choice_of_allowed_tokens_follows_the_schema(compiler, seed) -> None:
    source = json_grammar(SCHEMA)
    compiler.check(source)
    found = json.loads(written(compiler, source, seed))
    assert set(found) == {"name", "ripe", "count"}
    assert 0 <= found["count"] <= 99


def test_a_grammar_is_compiled_once_and_its_states_are_apart(compiler) -> None:
    source = json_grammar(SCHEMA)
    first, second = compiler.start(source), compiler.start(source)
    first.accept(int(np.flatnonzero(first.allowed(262))[0]))
    assert not np.array_equal(first.allowed(262), second.allowed(262))
    assert len(compiler._compiled) == 1


def test_a_schema_that_cannot_be_compiled_is_refused(compiler) -> None:
    with pytest.raises(GrammarRefused):
        compiler.check(json_grammar({"type": "object", "properties": {"a": {"type": "no such"}}}))


def test_without_the_library_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(GrammarUnavailable, match="'inference' extra"):
        json_grammar(SCHEMA)


@pytest.mark.parametrize("form", [HERMES, GRANITE, DEEPSEEK, DEEPSEEK_FENCED])
@pytest.mark.parametrize("seed", range(3))
def test_a_forced_call_is_read_back_in_every_form(compiler, form: ToolForm, seed: int) -> None:
    parameters = {
        "type": "object",
        "properties": {"fruit": {"enum": ["pear", "plum"]}, "count": {"enum": [1, 2]}},
        "required": ["fruit", "count"],
        "additionalProperties": False,
    }
    tools = [{"function": {"name": name, "parameters": parameters}} for name in ("price", "stock")]
    # The two tags that are tokens of this vocabulary.
    text = call_grammar(tools, lambda tag: tag in {HERMES.start, HERMES.end}, form)
    splitter = ToolSplitter(form)
    pieces = splitter.feed(written(compiler, lark_grammar(text), seed)) + splitter.flush()
    assert not any(piece.text for piece in pieces)
    assert splitter.calls > 0
    assert {piece.name for piece in pieces if piece.name} <= {"price", "stock"}
    for index in range(splitter.calls):
        arguments = "".join(piece.arguments for piece in pieces if piece.index == index)
        assert set(json.loads(arguments)) == {"fruit", "count"}
