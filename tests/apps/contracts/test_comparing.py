"""Two wordings aligned by clause: what changed, moved, came and went."""

import time

from apps.contracts.comparing import changes_between, compare
from apps.contracts.reading import ContractText, contract_read
from tests.apps.contracts.conftest import SALE


def states(old, new):
    reads = [contract_read(ContractText.from_paragraphs(text.split("\n"))) for text in (old, new)]
    return {pair.head: pair for pair in compare(*reads)}


def test_same_text_is_the_same():
    assert {pair.state for pair in states(SALE, SALE).values()} == {"same"}


def test_new_clause_does_not_shift_the_others():
    new = SALE.replace("第四条 付款", "第四条 包装\n用纸箱包装，每箱十公斤。\n第五条 付款")
    new = new.replace("第五条 违约责任", "第六条 违约责任").replace("第六条 争议", "第七条 争议")
    found = states(SALE, new)
    assert found["第四条 包装"].state == "added"
    assert {head: pair.state for head, pair in found.items() if pair.state != "same"} == {
        "第四条 包装": "added"
    }


def test_change_is_told_with_its_words():
    found = states(SALE, SALE.replace("45日内付清", "20日内付清"))
    pair = found["第四条 付款"]
    assert pair.state == "changed"
    changes = [(c.kind, c.text) for c in pair.changes() if c.kind != "equal"]
    assert changes == [("removed", "45"), ("added", "20")]
    assert "".join(c.text for c in pair.changes() if c.kind != "removed") == pair.new.text
    assert "".join(c.text for c in pair.changes() if c.kind != "added") == pair.old.text


def test_removed_clause_stands_where_it_stood():
    old = SALE.split("\n")
    at = old.index("第三条 交货")
    found = list(states(SALE, "\n".join(old[:at] + old[at + 2 :])).values())
    assert [pair.state for pair in found].count("removed") == 1
    place = next(n for n, pair in enumerate(found) if pair.state == "removed")
    assert found[place - 1].head == "第二条 价款"


def test_clauses_that_changed_places_are_moved():
    lines = SALE.split("\n")
    five, six = lines.index("第五条 违约责任"), lines.index("第六条 争议解决")
    swapped = lines[:five] + lines[six : six + 2] + lines[five : five + 2] + lines[six + 2 :]
    found = states(SALE, "\n".join(swapped))
    assert sorted(pair.state for pair in found.values()).count("moved") == 1
    assert not {pair.state for pair in found.values()} & {"added", "removed", "changed"}


def test_long_text_without_clauses_is_compared_by_sentences_first():
    """A contract of a hundred pages as one stretch: sign by sign that would take minutes."""
    old = "".join(f"甲方于第{n}日向乙方交付第{n}批苹果，乙方应在三日内验收。" for n in range(3_000))
    new = old.replace("第77日向乙方", "第78日向乙方")
    began = time.process_time()
    changes = list(changes_between(old, new))
    assert time.process_time() - began < 5
    assert [(c.kind, c.text) for c in changes if c.kind != "equal"] == [
        ("removed", "77"),
        ("added", "78"),
    ]
    assert "".join(c.text for c in changes if c.kind != "removed") == new
    assert "".join(c.text for c in changes if c.kind != "added") == old


def test_long_sentences_are_replaced_whole():
    old, new = "的果" * 5_000, "的租" * 5_000
    began = time.process_time()
    assert [(c.kind, c.text) for c in changes_between(old, new)] == [
        ("removed", old),
        ("added", new),
    ]
    assert time.process_time() - began < 2
