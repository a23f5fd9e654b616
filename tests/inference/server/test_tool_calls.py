import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.server.tool_calls import (
    DEEPSEEK,
    DEEPSEEK_FENCED,
    GRANITE,
    HERMES,
    ToolForm,
    ToolSplitter,
    call_grammar,
)

START, END = HERMES.start, HERMES.end

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\{}[]<>/梨', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def split(
    text: str, sizes: list[int], form: ToolForm = HERMES
) -> tuple[str, list[tuple[str, str]]]:
    """The text, and name and arguments of each call."""
    splitter, pieces, at = ToolSplitter(form), [], 0
    for size in sizes:
        pieces += splitter.feed(text[at : at + size])
        at += size
    pieces += splitter.feed(text[at:]) + splitter.flush()
    calls: list[list[str]] = []
    for piece in pieces:
        if piece.name is not None:
            assert piece.index == len(calls)
            assert piece.call_id.startswith("call_")
            calls.append([piece.name, ""])
        elif piece.index is not None:
            calls[piece.index][1] += piece.arguments
    shown = "".join(piece.text for piece in pieces)
    return shown, [(name, arguments) for name, arguments in calls]


@settings(deadline=None)
@given(
    calls=st.lists(
        st.tuples(st.sampled_from(["price", 'a"b']), st.dictionaries(st.text(max_size=4), JSON)),
        min_size=1,
        max_size=3,
    ),
    before=st.sampled_from(["", "Let me see.", "a < b\n\n"]),
    sizes=st.lists(st.integers(0, 9), max_size=40),
    name_first=st.booleans(),
    gap=st.sampled_from(["", "\n", "\n\n"]),
)
@pytest.mark.slow
def test_calls_are_read_however_they_are_cut(calls, before, sizes, name_first, gap) -> None:
    texts = []
    for name, arguments in calls:
        call = {"name": name, "arguments": arguments}
        if not name_first:
            call = dict(reversed(call.items()))
        texts.append(f"{START}\n{json.dumps(call, ensure_ascii=False)}\n{END}")
    shown, found = split(before + gap + gap.join(texts), sizes)
    assert shown == before.rstrip("\n")
    assert [(name, json.loads(arguments)) for name, arguments in found] == calls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no call < here", "no call < here"),
        (f"{START}not json{END} after", f"{START}not json{END} after"),
        (f"{START}[1]{END}", f"{START}[1]{END}"),
        ("half <tool_", "half <tool_"),
        ("ends with lines\n\n", "ends with lines\n\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_no_call_stays_text(text: str, shown: str, size: int) -> None:
    assert split(text, [size] * len(text)) == (shown, [])


def test_a_missing_closing_tag_is_forgiven() -> None:
    assert split(f'{START}{{"arguments": {{}}, "name": "x"}}', []) == ("", [("x", "{}")])
    assert split(f'{START}{{"name": "x", "arguments": {{"a": 1}}}}', []) == (
        "",
        [("x", '{"a": 1}')],
    )


@pytest.mark.parametrize("size", [1, 7, 100])
def test_granite_writes_one_list(size: int) -> None:
    text = 'Wait.<|tool_call|>[{"arguments": {"a": 1}, "name": "x"}, {"name": "y"}]'
    assert split(text, [size] * len(text), GRANITE) == ("Wait.", [("x", '{"a": 1}'), ("y", "{}")])
    broken = "<|tool_call|>[1, 2]"
    assert split(broken, [size] * len(broken), GRANITE) == (broken, [])
    assert call_grammar([{"function": {"name": "x"}}], lambda tag: True, GRANITE).startswith(
        "start: <|tool_call|> calls\ncalls: %json {"
    )


def test_a_tag_that_is_one_token_is_named_as_a_token() -> None:
    tool = {"function": {"name": "x"}}
    assert f"call: {START} " in call_grammar([tool], lambda tag: True)
    assert f'call: "{START}" ' in call_grammar([tool], lambda tag: False)


@pytest.mark.parametrize("form", [DEEPSEEK, DEEPSEEK_FENCED])
@pytest.mark.parametrize("size", [1, 7, 200])
def test_deepseek_writes_a_name_a_separator_and_arguments(form: ToolForm, size: int) -> None:
    calls = [("price", '{"fruit": "梨 }<"}'), ("stock", "{}")]
    written = "\n".join(
        f"{form.start}{form.before_arguments(name)}{arguments}{form.fence[1]}{form.end}"
        for name, arguments in calls
    )
    text = f"Wait.\n{form.around[0]}{written}{form.around[1]}"
    assert split(text, [size] * len(text), form) == ("Wait.", calls)
    broken = f"{form.start}price{form.end} after"
    assert split(broken, [size] * len(broken), form) == (broken, [])
