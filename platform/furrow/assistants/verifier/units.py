"""Units of measure and words for counted things."""

import re

# Unit class and how much of the class's first unit one of it is; classes are never converted into each other.
_UNIT_TABLE = {
    ("weight", 1.0): "公斤 千克 kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes",
    ("weight", 0.5): "斤 市斤 jin catty catties",
    ("weight", 0.001): "克 g gram grams",
    ("weight", 1000.0): "吨 t ton tons tonne tonnes",
    ("time", 1.0): "分钟 minute minutes min mins",
    ("time", 60.0): "小时 个小时 钟头 个钟头 hour hours hr hrs h",
    ("time", 1440.0): "天 日 day days",
    ("time", 10080.0): "周 个星期 星期 个礼拜 礼拜 week weeks",
    ("workday", 1.0): "个工作日 工作日",
    ("month", 1.0): "个月 月 month months",
    ("month", 3.0): "季度 个季度 quarter quarters",
    ("month", 12.0): "年 year years yr yrs",
    ("age", 1.0): "岁 周岁",
    ("yuan", 1.0): "元 块钱 块 yuan rmb cny 人民币",
    ("usd", 1.0): "美元 美金 usd dollar dollars",
    ("eur", 1.0): "欧元 eur euro euros",
    ("hkd", 1.0): "港元 港币 hkd",
    ("yuan", 0.1): "角 毛钱",
    ("percent", 1.0): "% 个百分点",
    ("length", 1.0): "米 m metre metres meter meters",
    ("length", 0.01): "厘米 cm centimetre centimetres",
    ("inch", 1.0): "寸 英寸 吋 inch inches",
    ("length", 0.001): "毫米 mm millimetre millimetres",
    ("length", 1000.0): "公里 千米 km kilometre kilometres kilometer kilometers",
    ("area", 1.0): "平方米 平米 m2 sqm",
    ("mu", 1.0): "亩 mu",
    ("volume", 1.0): "升 l litre litres liter liters",
    ("volume", 0.001): "毫升 ml",
    ("degree", 1.0): "度 ℃ °c degree degrees °",
    ("bytes", 1.0): "kb",
    ("bytes", 1000.0): "mb",
    ("power", 1.0): "千瓦 kw kilowatt kilowatts",
    ("volt", 1.0): "伏 volt volts",
    ("pixels", 1.0): "像素 pixel pixels megapixels",
    ("times", 1.0): "倍 times",
}
UNITS = {unit: known for known, units in _UNIT_TABLE.items() for unit in units.split()}
_COUNT_WORDS = (
    "页 份 张 箱 盒 枚 颗 瓶 袋 件 次 位 人 名 个 种 款 家 条 台 套 层 只 辆 间 轮 字 杯 批 户 把 pages page boxes box photos "
    "photo people persons person copies copy pieces piece cartons carton bottles bags words addresses"
).split()
UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
COUNT = "|".join(sorted(_COUNT_WORDS, key=len, reverse=True))
