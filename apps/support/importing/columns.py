"""Which column means what: the names that Taobao, Pinduoduo and Douyin give them in their exports, and usual others."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.support.importing import cells
from furrow.knowledge.text.folding import fold


@dataclass(frozen=True)
class Column:
    """`names` are whole heads, folded; the first name found wins over a later one."""

    field: str
    read: Callable[[str], Any]
    names: tuple[str, ...]
    is_needed: bool = False


def _column(
    field: str, read: Callable[[str], Any], names: str, *, is_needed: bool = False
) -> Column:
    heads = tuple(head_key(name) for name in names.split("|"))
    return Column(field, read, heads, is_needed)


def head_key(name: str) -> str:
    """A head without case, width, units in brackets, marks and blanks."""
    folded = re.sub(r"\((?:元|件|kg|公斤|千克|yuan|cny|天)\)", "", fold(str(name)))
    return re.sub(r"[\s_\-/*:.·]", "", folded.replace("\ufeff", "").strip("'\"= "))


KINDS: dict[str, tuple[Column, ...]] = {
    "products": (
        _column("code", cells.code, "商家编码|商品编码|货号|编码|sku编码|规格编码|sku|code|sku code|item code|商品编号|编号", is_needed=True),
        _column("name_zh", cells.short, "商品名称|品名|名称|产品名称|中文名|商品标题|宝贝标题|name_zh|name zh|产品|商品"),
        _column("name_en", cells.short, "英文名|英文名称|english name|name_en|name en|name|product name|product"),
        _column("category", cells.short, "类目|分类|品类|类别|category"),
        _column("aliases", cells.words, "别名|俗称|又名|aliases|also called"),
        _column("spec", cells.short, "规格|规格名称|商品规格|sku名称|spec|size"),
        _column("unit", cells.short, "单位|unit"),
        _column("net_weight_kg", cells.kilos, "净重|净重kg|净重公斤|重量|net_kg|net weight|net kg|weight kg|weight"),
        _column("price", cells.price, "零售价|售价|单价|价格|一口价|销售价|现价|unit_price|price|retail price|unit price"),
        _column("stock", cells.count, "库存|库存数量|现货|可售库存|数量|stock|quantity|qty|in stock"),
        _column("season", cells.season, "采收期|产季|季节|上市时间|采收时间|harvest_window|season|harvest"),
        _column("storage_zh", cells.long, "储存|储存方法|保存方法|储藏|保存|storage|storage_zh"),
        _column("storage_en", cells.long, "英文储存|storage_en|storage en|how to store"),
        _column("is_cold_chain", cells.flag, "冷链|是否冷链|cold chain|is_cold_chain"),
        _column("ships_from", cells.short, "发货地|仓库|发货仓|ships_from|warehouse|ships from"),
    ),
    "stock": (
        _column("code", cells.code, "商家编码|商品编码|货号|编码|sku编码|规格编码|sku|code|sku code|编号", is_needed=True),
        _column("quantity", cells.count, "库存|库存数量|现货|可售库存|数量|盘点数|stock|quantity|qty|in stock|count", is_needed=True),
    ),
    "shipping": (
        _column("name", cells.short, "区域|分区|运费区|运费模板|名称|zone|zone_zh|name", is_needed=True),
        _column("regions", cells.regions, "省份|地区|配送地区|可配送区域|运送到|provinces_zh|provinces|regions", is_needed=True),
        _column("is_served", cells.flag, "是否发货|可发货|发货|served|is_served"),
        _column("carrier", cells.short, "快递|快递公司|承运商|carrier"),
        _column("days", cells.days, "时效|天数|送达天数|预计时效|days|delivery days"),
        _column("first_kg", cells.kilos, "首重|首重公斤|首重kg|first_kg|first kg"),
        _column("first_fee", cells.money, "首重运费|首费|首重价格|运费|first_fee|first fee|fee"),
        _column("extra_fee", cells.money, "续重运费|续费|续重价格|续重|extra_fee|extra fee|extra_kg"),
        _column("free_over", cells.money, "包邮金额|满额包邮|包邮|free_over|free over"),
        _column("cold_chain_fee", cells.money, "冷链费|冷链包装费|cold_chain_fee|cold chain fee"),
        _column("is_cold_chain_served", cells.flag, "冷链可发|is_cold_chain_served|cold chain served"),
    ),
    "orders": (
        _column("number", cells.order_number, "订单编号|主订单编号|订单号|订单id|order number|order no|order id|order", is_needed=True),
        _column("part", cells.code, "子订单编号|子订单号|suborder"),
        _column("status", cells.status, "订单状态|交易状态|状态|order status|status", is_needed=True),
        _column("after_sale", cells.short, "售后状态|退款状态"),
        _column("account", cells.short, "买家会员名|买家昵称|买家账号|用户昵称|买家|buyer|customer"),
        _column("phone_tail", cells.phone_tail, "联系手机|收件人手机号|手机|收货人手机|手机号|联系电话|电话|phone|mobile"),
        _column("region", cells.region, "省|收货省份|省份|收货地址|收货人地址|详细地址|地址|province|region|address"),
        _column("ordered_at", cells.moment, "订单创建时间|订单提交时间|订单成交时间|下单时间|创建时间|ordered at|order time|created"),
        _column("paid_at", cells.moment, "订单付款时间|支付完成时间|支付时间|付款时间|paid at|payment time"),
        _column("shipped_at", cells.moment, "发货时间|shipped at|ship time"),
        _column("delivered_at", cells.moment, "签收时间|确认收货时间|收货时间|delivered at"),
        _column("paid_amount", cells.money, "买家实际支付金额|用户实付金额|订单应付金额|实付金额|实付款|实收金额|总金额|paid|amount|total"),
        _column("freight", cells.money, "买家应付邮费|邮费|运费|快递费|freight|shipping fee"),
        _column("title", cells.long, "宝贝标题|选购商品|商品|商品名称|商品标题|title|item|product"),
        _column("sku_code", cells.code, "商家编码-规格维度|商家编码|规格编码|sku编码|货号|sku|sku code"),
        _column("quantity", cells.at_least_one, "宝贝总数量|商品数量|数量|件数|quantity|qty"),
        _column("line_amount", cells.money, "商品总价|商品金额|line amount"),
        _column("carrier", cells.short, "物流公司|快递公司|承运商|carrier"),
        _column("tracking_number", cells.tracking, "物流单号|运单号|快递单号|tracking number|tracking"),
    ),
}  # fmt: skip
# Which columns give a platform away.
_SIGNS = {
    "taobao": {"宝贝标题", "买家会员名", "买家应付货款", "宝贝总数量"},
    "pinduoduo": {"拼单成功时间", "商家编码规格维度", "用户实付金额", "承诺发货时间"},
    "douyin": {"主订单编号", "子订单编号", "选购商品", "达人优惠"},
}


def columns_of(kind: str) -> tuple[Column, ...]:
    return KINDS[kind]


def head_digest(head: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(map(head_key, head)).encode()).hexdigest()


def guessed(kind: str, head: Sequence[str]) -> dict[str, int]:
    """Field to column number. A column is used once; a head that is in no list is left out."""
    keys = [head_key(name) for name in head]
    found: dict[str, int] = {}
    for column in KINDS[kind]:
        for name in column.names:
            if name in keys and keys.index(name) not in found.values():
                found[column.field] = keys.index(name)
                break
    return found


def platform_of(head: Sequence[str]) -> str:
    keys = {head_key(name) for name in head}
    best = max(_SIGNS, key=lambda name: len(_SIGNS[name] & keys))
    return best if len(_SIGNS[best] & keys) >= 2 else "other"


def recognised(kind: str, row: Sequence[str]) -> int:
    """How many cells of a row are heads that we know: finds the head below title lines."""
    known = {name for column in KINDS[kind] for name in column.names}
    return sum(head_key(cell) in known for cell in row)
