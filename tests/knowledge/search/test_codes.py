"""Codes, serial and telephone numbers as customers type them, each beside a look-alike that must not win."""

import pytest

STOCK = {
    "toyota": "刹车片 型号 BP-2045/C 适用于丰田，每套 180 元。",
    "honda": "刹车片 型号 BP-2046/C 适用于本田，每套 190 元。",
    "valid": "序列号 SN 8K2J-77X0-41QA 的主机保修到明年。",
    "over": "序列号 SN 8K2J-77X0-41QB 的主机已过保。",
    "filter": "Filter element F026400123 fits the T5. EAN 4 047025 123456.",
    "short": "螺栓 M8×25 镀锌 每盒 100 个",
    "long": "螺栓 M8×30 镀锌 每盒 100 个",
    "6204": "轴承 6204-2RS/C3 库存 12",
    "6205": "轴承 6205-2RS/C3 库存 9",
    "phone": "订单电话 0571-8888 6666，手机 138 0013 8000",
    "mat": "颜色：墨綠色軟體滑鼠墊",
    "case": "iPhone 15 Pro Max 手机壳",
    "plug": "ＵＳＢ－Ｃ转接头 型号 ＴＣ_０９.1",
}
TYPED = {
    "toyota": ("BP2045C", "bp 2045 c", "BP–2045–C", "BP_2045_C", "BP.2045.C", "BP—2045／C", "2045"),
    "honda": ("BP2046/C 多少钱", "ＢＰ－２０４６", "刹車片 本田"),
    "valid": ("8K2J77X041QA", "8k2j 77x0 41qa"),
    "over": ("SN:8K2J-77X0-41QB", "SN8K2J-77X0-41QB"),
    "filter": ("f026400123", "F 026 400 123", "4047025123456", "4 047025 123456"),
    "short": ("M8x25", "M8*25"),
    "long": ("m8 x 30", "M8×30螺栓"),
    "6204": ("62042RS", "6204 2rs c3", "6204-2RSC3"),
    "6205": ("6205-2rs", "zhoucheng 6205"),
    "phone": ("057188886666", "13800138000", "138-0013-8000"),
    "mat": ("墨绿色软体滑鼠垫", "墨綠色滑鼠墊"),
    "case": ("iphone15promax", "iPhone15 手机壳"),
    "plug": ("USB-C", "usbc 转接头", "TC_09.1", "tc091", "TC-09.1"),
}


@pytest.mark.slow
def test_every_way_to_type_a_code_finds_it_first(shop):
    for title, text in STOCK.items():
        shop.add_text(title, text)
    shop.run_jobs()
    asked = [(typed, title) for title, ways in TYPED.items() for typed in ways]
    found = {typed: shop.found(typed, mode="lexical")[:1] for typed, _ in asked}
    assert {typed: found[typed] for typed, title in asked if found[typed] != [title]} == {}
