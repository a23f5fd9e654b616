import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from furrow.knowledge.chunking import ChunkDraft, chunk_document
from furrow.knowledge.cleaning.flag import Flag
from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.tables import add_table
from furrow.knowledge.sentences import split_sentences

SENTENCE = "我们的脐橙产自赣南，采摘后二十四小时内发货。"


def built(*blocks: tuple[str, str]) -> ParsedDocument:
    """Blocks as (kind, text); `heading` is level 1, `heading2` level 2, `page` starts a page."""
    builder = DocumentBuilder(ParseJob())
    for kind, text in blocks:
        if kind == "page":
            builder.start_page(int(text))
        elif kind.startswith("heading"):
            builder.heading(text, int(kind[7:] or 1))
        else:
            builder.add(kind, text)  # type: ignore[arg-type]
    return builder.build()


def chunked(document: ParsedDocument, **options: object) -> list[ChunkDraft]:
    chunks = chunk_document(document, title="果园手册", **options)  # type: ignore[arg-type]
    for number, chunk in enumerate(chunks):
        assert chunk.ordinal == number
        assert document.text[chunk.start : chunk.end] == chunk.text
    return chunks


def test_each_section_is_its_own_chunk_with_its_heading_path() -> None:
    document = built(
        ("heading", "发货"), ("paragraph", "当天发货。"),
        ("heading2", "偏远地区"), ("paragraph", "加运费。"),
        ("heading", "赔付"), ("paragraph", "拍照赔付。"),
    )  # fmt: skip
    chunks = chunked(document)
    assert [chunk.text for chunk in chunks] == [
        "发货\n\n当天发货。",
        "偏远地区\n\n加运费。",
        "赔付\n\n拍照赔付。",
    ]
    assert [chunk.heading_path for chunk in chunks] == [("发货",), ("发货", "偏远地区"), ("赔付",)]
    assert chunks[1].header == "果园手册 > 发货 > 偏远地区"


def test_a_heading_without_text_stays_with_what_follows() -> None:
    chunks = chunked(built(("heading", "手册"), ("heading2", "发货"), ("paragraph", "当天发货。")))
    assert [chunk.text for chunk in chunks] == ["手册\n\n发货\n\n当天发货。"]
    assert chunks[0].heading_path == ("手册", "发货")


def test_long_text_is_cut_between_sentences_only() -> None:
    document = built(("paragraph", SENTENCE * 60))
    chunks = chunked(document)
    assert len(chunks) > 2
    assert all(chunk.text.endswith("。") and len(chunk.text) <= 600 for chunk in chunks)
    assert "".join(chunk.text for chunk in chunks) == SENTENCE * 60
    assert chunks[1].header.endswith(SENTENCE[:30])


def test_a_sentence_longer_than_the_limit_is_cut_at_a_comma() -> None:
    document = built(("paragraph", "脐橙蜜桔沙田柚，" * 200 + "都有。"))
    chunks = chunked(document, target_chars=100, max_chars=150)
    assert all(len(chunk.text) <= 150 for chunk in chunks)
    assert all(chunk.text.endswith("，") for chunk in chunks[:-1])


def test_question_and_answer_stay_together_and_apart_from_others() -> None:
    document = built(
        ("paragraph", "常见问题如下。"),
        ("paragraph", "问：几天到？"), ("paragraph", "答：三天。" + SENTENCE), ("paragraph", "偏远五天。"),
        ("paragraph", "Q: Is it fresh?"), ("paragraph", "A: Yes, picked today."),
    )  # fmt: skip
    chunks = chunked(document)
    assert [(chunk.kind, chunk.text[:4]) for chunk in chunks] == [
        ("text", "常见问题"),
        ("qa", "问：几天"),
        ("qa", "Q: I"),
    ]
    assert chunks[1].text.endswith("偏远五天。")


def test_question_tables_give_one_chunk_per_row() -> None:
    builder = DocumentBuilder(ParseJob())
    add_table(builder, [["问题", "答案"], ["几天到？", "三天。"], ["能退吗？", "七天内能退。"]])
    chunks = [chunk for chunk in chunked(builder.build()) if chunk.kind == "qa"]
    assert [chunk.text for chunk in chunks] == [
        "问题: 几天到？ | 答案: 三天。",
        "问题: 能退吗？ | 答案: 七天内能退。",
    ]


def test_table_rows_are_grouped_whole_with_columns_in_the_header() -> None:
    builder = DocumentBuilder(ParseJob())
    builder.add("paragraph", "价格如下：")
    add_table(builder, [["品名", "价格"], *[[f"商品{n}", f"{n}.5 元"] for n in range(1, 80)]])
    chunks = chunked(builder.build())
    assert chunks[0].text.startswith("价格如下：\n\n品名 | 价格\n品名: 商品1 | 价格: 1.5 元")
    assert {chunk.kind for chunk in chunks} == {"table"}
    for chunk in chunks:
        assert "品名 | 价格" in chunk.header
        assert all(line.endswith("元") for line in chunk.text.split("\n")[3:])
    assert len(chunks) > 2


def test_running_lines_are_in_no_chunk_and_pages_are_where_chunks_begin() -> None:
    document = built(
        ("page", "1"), ("running", "内部资料"), ("paragraph", "第一页。"), ("running", "1"),
        ("page", "2"), ("running", "内部资料"), ("paragraph", "第二页。"),
    )  # fmt: skip
    assert [(chunk.page, chunk.text) for chunk in chunked(document)] == [
        (1, "第一页。"),
        (2, "第二页。"),
    ]


def test_flags_go_to_the_chunks_they_touch() -> None:
    document = built(
        ("heading", "一"), ("paragraph", "甲。"), ("heading", "二"), ("paragraph", "乙。")
    )
    start = document.text.index("乙")
    flag = Flag(start, start + 2, "garble", "unreadable")
    chunks = chunked(document, flags=[flag])
    assert [chunk.flags for chunk in chunks] == [(), (flag,)]


def test_english_chunks_are_longer_than_chinese_ones() -> None:
    text = "Orders placed before three ship the same day and arrive soon. " * 60
    chunks = chunked(built(("paragraph", text)))
    assert all(700 <= len(chunk.text) <= 1_500 for chunk in chunks[:-1])


BLOCKS = st.lists(
    st.tuples(
        st.sampled_from(
            ["heading", "heading2", "paragraph", "list_item", "table_row", "running", "code"]
        ),
        st.text(alphabet="ab 。，.?问：答Q:|\n第一", min_size=1, max_size=60),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(blocks=BLOCKS, target=st.sampled_from([10, 40, 400]))
def test_every_visible_character_outside_running_lines_is_in_one_chunk(
    blocks: list[tuple[str, str]], target: int
) -> None:
    document = built(*blocks)
    chunks = chunked(document, target_chars=target, max_chars=target * 2)
    covered = set()
    last = 0
    for chunk in chunks:
        assert last <= chunk.start < chunk.end
        last = chunk.end
        covered.update(range(chunk.start, chunk.end))
        assert len(chunk.text) <= target * 2
    running = {i for b in document.blocks if b.kind == "running" for i in range(b.start, b.end)}
    missing = [i for i, char in enumerate(document.text) if i not in covered and not char.isspace()]
    assert set(missing) <= running
    assert not covered & running


@pytest.mark.parametrize("target", [60, 120])
def test_no_chunk_border_lies_inside_a_short_sentence(target: int) -> None:
    document = built(("paragraph", SENTENCE * 20), ("paragraph", "短句。" * 30))
    inside = {
        index
        for block in document.blocks
        for a, b in split_sentences(block.text)
        for index in range(block.start + a + 1, block.start + b)
    }
    borders = {chunk.start for chunk in chunked(document, target_chars=target)}
    assert not borders & inside
