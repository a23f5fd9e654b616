"""Imports: every bad row named, all or nothing, shown before, taken back after, columns remembered."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.support.facts.order_numbers import folded_number
from apps.support.importing.columns import guessed, head_key, platform_of
from apps.support.importing.wording import PROBLEMS, problem_words
from apps.support.models import ColumnMapping, ImportBatch, ImportRow, Order, OrderLine, Sku
from apps.support.selectors import newest_stock
from apps.support.services.catalogue import sku_upsert
from apps.support.services.imports import (
    batch_apply,
    batch_create,
    batch_drop,
    batch_preview,
    batch_remap,
    batch_undo,
)
from furrow.core.errors import Conflict, Invalid, TooLarge
from tests.apps.support.import_cases import dirty_files

FILES = dirty_files()
CODES = frozenset(
    {"HN-2025/A1", "HN-2025/A3", "MY-2025/B2", "MY-2025/B3", "HT-2025/D1", "BL-2025/E1", "JG-2025/J1"}
    | {"LH-2025/G1", "LH-2025/G2"}
)  # fmt: skip
HEAD = "商家编码,商品名称,零售价,库存\n"


def read(actor, text, kind="products", **more):
    data = text if isinstance(text, bytes) else text.encode()
    return batch_create(actor=actor, kind=kind, data=data, file_name="x.csv", **more)


def test_every_bad_row_of_thirty_dirty_files_is_named_and_no_good_one():
    assert len(FILES) == 30
    wrong = {
        each.name: each.complaints(CODES) ^ each.bad
        for each in FILES
        if each.complaints(CODES) != each.bad
    }
    assert wrong == {}


def test_every_problem_has_words():
    for code in PROBLEMS:
        assert problem_words({"column": "price", "code": code, "value": "x"})


def test_platform_is_known_by_its_head():
    for each in FILES:
        if each.platform:
            head = each.data.decode("gb18030" if each.platform == "taobao" else "utf-8-sig")
            assert platform_of(head.splitlines()[0].split(",")) == each.platform


def test_wholesale_price_is_not_taken_for_the_price():
    head = ["code", "name_zh", "unit_price", "wholesale_price"]
    assert guessed("products", head) == {"code": 0, "name_zh": 1, "price": 2}
    assert head_key("商品总价(元)") == head_key("商品总价（元）")


def test_nothing_is_taken_over_while_a_row_is_bad(stand, actor):
    batch = read(actor, HEAD + "X-1,苹果,9.90,1\nX-2,梨,免费,1\n")
    with pytest.raises(Conflict) as refused:
        batch_apply(actor=actor, batch=batch)
    assert refused.value.code == "bad_rows"
    assert not Sku.objects.filter(code__startswith="X-").exists()
    assert ImportRow.objects.get(batch=batch, line=3).problems[0]["code"] == "not_money"


def test_good_rows_alone_on_request(stand, actor):
    batch = read(actor, HEAD + "X-1,苹果,9.90,1\nX-2,梨,免费,1\n")
    batch_apply(actor=actor, batch=batch, is_good_only=True)
    assert list(Sku.objects.filter(code__startswith="X-").values_list("code", flat=True)) == ["X-1"]


def test_preview_says_what_is_new_and_what_changes(stand, actor):
    batch = read(actor, HEAD + "HN-1,青禾脐橙·大果,71.00,9\nX-1,苹果,9.90,1\n")
    preview = batch_preview(batch)
    assert (preview.good, preview.bad, preview.made, preview.updated) == (2, 0, 1, 1)
    assert Sku.objects.get(code="HN-1").price == Decimal("69.90")


def test_undo_puts_everything_back(stand, actor):
    batch = read(actor, HEAD + "HN-1,青禾脐橙·大果,71.00,9\nX-1,苹果,9.90,1\n")
    batch_apply(actor=actor, batch=batch)
    assert Sku.objects.get(code="HN-1").price == Decimal("71.00")
    batch_undo(actor=actor, batch=batch)
    orange = Sku.objects.get(code="HN-1")
    assert orange.price == Decimal("69.90")
    assert newest_stock([orange.id])[orange.id].quantity == 12
    assert not Sku.objects.filter(code="X-1").exists()
    with pytest.raises(Conflict):
        batch_undo(actor=actor, batch=batch)


def test_undo_is_refused_when_somebody_worked_on_it_since(stand, actor):
    batch = read(actor, HEAD + "HN-1,青禾脐橙·大果,71.00,9\nX-1,苹果,9.90,1\n")
    batch_apply(actor=actor, batch=batch)
    sku_upsert(values={"code": "HN-1", "price": "72.00"})
    with pytest.raises(Conflict) as refused:
        batch_undo(actor=actor, batch=batch)
    assert refused.value.code == "changed_since"
    assert Sku.objects.filter(code="X-1").exists()


def test_mapping_is_changed_and_remembered(stand, actor):
    text = "no,what,how dear,extra,商家编码,商品名称\n1,a,b,c,X-1,苹果\n"
    batch = read(actor, text.replace("1,a,b,c", "1,a,9.90,c"))
    assert "price" not in batch.columns
    batch = batch_remap(batch=batch, columns={**batch.columns, "price": 2})
    batch_apply(actor=actor, batch=batch)
    assert Sku.objects.get(code="X-1").price == Decimal("9.90")
    assert ColumnMapping.objects.get().columns["price"] == 2
    again = read(actor, text.replace("1,a,b,c", "1,a,8.80,c"))
    assert again.columns["price"] == 2
    with pytest.raises(Invalid):
        batch_remap(batch=again, columns={"price": 99})
    with pytest.raises(Invalid):
        batch_remap(batch=again, columns={"price": 2, "code": 2})


@pytest.mark.parametrize("name", ["19_", "23_", "26_", "29_"])
def test_each_platform_is_taken_over(stand, actor, name):
    file = next(each for each in FILES if each.name.startswith(name))
    batch = batch_create(actor=actor, kind="orders", data=file.data, file_name=file.name)
    assert batch.platform == (file.platform or "other")
    batch_apply(actor=actor, batch=batch, is_good_only=True)
    assert Order.objects.filter(platform=batch.platform).exists()
    for order in Order.objects.all():
        assert len(order.phone_tail) in {0, 4}
        assert order.number == folded_number(order.number)


def test_order_with_one_bad_line_is_left_out_whole(stand, actor):
    file = next(each for each in FILES if each.name.startswith("26_"))
    batch = batch_create(actor=actor, kind="orders", data=file.data, file_name=file.name)
    batch_apply(actor=actor, batch=batch, is_good_only=True)
    assert list(Order.objects.values_list("number", flat=True)) == ["6929100200300400511"]
    assert OrderLine.objects.count() == 2


def test_neither_whole_phone_nor_address_is_kept_as_order(stand, actor):
    file = next(each for each in FILES if each.name.startswith("19_"))
    batch = batch_create(actor=actor, kind="orders", data=file.data, file_name=file.name)
    batch_apply(actor=actor, batch=batch, is_good_only=True)
    kept = str(list(Order.objects.values()))
    assert "13800006612" not in kept
    assert "南山区" not in kept
    assert "13800006612" not in str(list(ImportRow.objects.values()))


def test_thrown_away_preview_takes_nothing_over(stand, actor):
    batch = read(actor, HEAD + "X-1,苹果,9.90,1\n")
    batch_drop(actor=actor, batch=batch)
    assert not ImportRow.objects.filter(batch=batch).exists()
    with pytest.raises(Conflict):
        batch_apply(actor=actor, batch=ImportBatch.objects.get(id=batch.id))


def test_preview_that_nobody_took_over_is_thrown_away(stand, actor):
    batch = read(actor, HEAD + "X-1,苹果,9.90,1\n")
    ImportBatch.objects.update(created_at=timezone.now() - timedelta(days=8))
    read(actor, HEAD + "X-2,苹果,9.90,1\n")
    assert ImportBatch.objects.get(id=batch.id).state == "dropped"
    assert not ImportRow.objects.filter(batch=batch).exists()


@pytest.mark.parametrize(
    "data", [b"", b"   \n", b"hello world\nthis is a letter\n", HEAD.encode(), b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0old"]
)  # fmt: skip
def test_file_without_a_table_is_refused_with_a_sentence(stand, actor, data):
    with pytest.raises(Invalid):
        read(actor, data)


def test_too_many_rows_are_refused(stand, actor):
    rows = "".join(f"X-{n},苹果,9.90,1\n" for n in range(5001))
    with pytest.raises(TooLarge):
        read(actor, HEAD + rows)
