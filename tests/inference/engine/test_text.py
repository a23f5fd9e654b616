import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engine.detokenize import Detokenizer
from inference.engine.reasoning import HarmonySplitter, Reasoning, ThinkSplitter
from inference.engine.speculative import PATIENCE, NgramIndex, accepted_count
from inference.engine.stops import StopMatcher


def decode(ids) -> str:
    return bytes(ids).decode("utf-8", "replace")


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    return [*pieces, text[at:]]


SIZES = st.lists(st.integers(0, 5), max_size=30)


@settings(deadline=None)
@given(st.text(st.sampled_from("ab垄🍊é\n"), max_size=30))
def test_text_fed_byte_by_byte_comes_out_whole(text: str) -> None:
    detokenizer = Detokenizer(decode, [65, 66])
    pieces = [detokenizer.feed(byte) for byte in text.encode()]
    assert not any("\ufffd" in piece for piece in pieces)
    assert "".join(pieces) + detokenizer.flush() == text


def test_a_character_behind_broken_bytes_is_whole() -> None:
    detokenizer = Detokenizer(decode)
    text = "".join(map(detokenizer.feed, b"\xff\xfe\xfd" + "垄x".encode())) + detokenizer.flush()
    assert text.replace("\ufffd", "") == "垄x"


def test_bytes_that_are_no_character_are_shown_in_the_end() -> None:
    detokenizer = Detokenizer(decode)
    assert detokenizer.feed(0xE5) == ""
    assert detokenizer.flush() == "\ufffd"


@settings(deadline=None)
@given(st.text("abc", max_size=20), st.lists(st.text("abc", min_size=1, max_size=4)), SIZES)
def test_text_ends_before_the_first_stop_string(text, stops, sizes) -> None:
    matcher, shown, is_hit = StopMatcher(stops), "", False
    for piece in cut(text, sizes):
        more, is_hit = matcher.feed(piece)
        shown += more
        if is_hit:
            break
    shown += "" if is_hit else matcher.flush()
    assert is_hit == any(stop in text for stop in stops)
    assert text.startswith(shown)
    if is_hit:
        assert not any(stop in shown for stop in stops)
    else:
        assert shown == text


@pytest.mark.parametrize(
    ("mode", "text", "thoughts", "answer"),
    [
        (Reasoning.AUTO, "<think>\nwhy\n</think>\n\nso", "why\n", "so"),
        (Reasoning.AUTO, "\n<think>why</think>so", "why", "so"),
        (Reasoning.AUTO, "no <think> here</think>", "", "no <think> here</think>"),
        (Reasoning.AUTO, "<thin", "", "<thin"),
        (Reasoning.OPENED, "why</think>so</think>", "why", "so</think>"),
        (Reasoning.OPENED, "cut off</thi", "cut off</thi", ""),
        (Reasoning.OPENED, "</think>so", "", "so"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_thoughts_are_split_wherever_tags_are_cut(mode, text, thoughts, answer, size) -> None:
    splitter, got = ThinkSplitter(mode), ["", ""]
    for at in range(0, len(text), size):
        for n, piece in enumerate(splitter.feed(text[at : at + size])):
            got[n] += piece
    for n, piece in enumerate(splitter.flush()):
        got[n] += piece
    assert got == [thoughts, answer]


def test_guesses_are_what_followed_last_time() -> None:
    index = NgramIndex()
    assert index.guess([1, 2, 3], 4) == []
    assert index.guess([1, 2, 3, 4, 5, 1, 2, 3], 2) == [4, 5]
    assert index.guess([1, 2, 3, 4, 5, 1, 2, 3, 9, 1, 2, 3], 9) == [9, 1, 2, 3]


def test_failing_guesses_pause() -> None:
    index, ids = NgramIndex(), [1, 2, 3, 4, 1, 2, 3]
    for _ in range(PATIENCE):
        assert index.guess(ids, 1) == [4]
        index.learn(1, 0)
    assert index.guess(ids, 1) == []


def test_guesses_hold_up_to_the_first_difference() -> None:
    assert accepted_count([1, 2, 3], [1, 2, 9, 9]) == 2
    assert accepted_count([], [7]) == 0


ANALYSIS = "<|channel|>analysis<|message|>why < so<|end|>"
FINAL = "<|start|>assistant<|channel|>final<|message|>"
TO_PRICE = "<|start|>assistant<|channel|>commentary to=functions.price <|constrain|>json<|message|>"


@pytest.mark.parametrize(
    ("text", "thoughts", "answer"),
    [
        (f"{ANALYSIS}{FINAL}好的<", "why < so", "好的<"),
        (f"{ANALYSIS}{FINAL}yes<|return|>", "why < so", "yes"),
        ("<|channel|>final<|message|>at once", "", "at once"),
        ("<|channel|>analysis<|message|>cut o", "cut o", ""),
        ("<|channel|>fina", "", ""),
        (
            f'{ANALYSIS}{TO_PRICE}{{"n": 1}}<|call|>',
            "why < so",
            '<tool_call>\n{"name": "price", "arguments": {"n": 1}}\n</tool_call>',
        ),
        (
            f'{TO_PRICE.removeprefix("<|start|>assistant")}{{"n": 1}}',
            "",
            '<tool_call>\n{"name": "price", "arguments": {"n": 1}}\n</tool_call>',
        ),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 500])
def test_harmony_channels_are_split_wherever_they_are_cut(text, thoughts, answer, size) -> None:
    splitter, got = HarmonySplitter(), ["", ""]
    for piece in cut(text, [size] * len(text)):
        for n, part in enumerate(splitter.feed(piece)):
            got[n] += part
    for n, part in enumerate(splitter.flush()):
        got[n] += part
    assert got == [thoughts, answer]
    assert splitter.is_thinking == (answer == "" or text.endswith(("<|call|>", "<|return|>")))
