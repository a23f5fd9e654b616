"""Provinces and the cities that people name instead of them, in Chinese and English."""

import re
from functools import cache

from furrow.knowledge.text.folding import fold

# Key: (English name, other names and well-known cities). The key is how shipping rules name a region.
REGIONS: dict[str, tuple[str, str]] = {
    "北京": ("Beijing", "peking"),
    "天津": ("Tianjin", ""),
    "上海": ("Shanghai", ""),
    "重庆": ("Chongqing", ""),
    "河北": ("Hebei", "石家庄 唐山 保定 秦皇岛 邯郸 廊坊 shijiazhuang tangshan"),
    "山西": ("Shanxi", "太原 大同 taiyuan"),
    "内蒙古": ("Inner Mongolia", "内蒙 呼和浩特 包头 hohhot"),
    "辽宁": ("Liaoning", "沈阳 大连 鞍山 shenyang dalian"),
    "吉林": ("Jilin", "长春 changchun"),
    "黑龙江": ("Heilongjiang", "哈尔滨 大庆 harbin"),
    "江苏": ("Jiangsu", "南京 苏州 无锡 常州 南通 徐州 扬州 nanjing suzhou wuxi"),
    "浙江": ("Zhejiang", "杭州 宁波 温州 绍兴 嘉兴 金华 义乌 hangzhou ningbo wenzhou"),
    "安徽": ("Anhui", "合肥 芜湖 hefei"),
    "福建": ("Fujian", "福州 厦门 泉州 fuzhou xiamen"),
    "江西": ("Jiangxi", "南昌 赣州 九江 nanchang ganzhou"),
    "山东": ("Shandong", "济南 青岛 烟台 潍坊 威海 jinan qingdao yantai"),
    "河南": ("Henan", "郑州 洛阳 开封 zhengzhou luoyang"),
    "湖北": ("Hubei", "武汉 宜昌 襄阳 wuhan"),
    "湖南": ("Hunan", "长沙 株洲 岳阳 changsha"),
    "广东": ("Guangdong", "广州 深圳 东莞 佛山 珠海 惠州 中山 guangzhou shenzhen dongguan"),
    "广西": ("Guangxi", "南宁 桂林 柳州 nanning guilin"),
    "海南": ("Hainan", "海口 三亚 haikou sanya"),
    "四川": ("Sichuan", "成都 绵阳 chengdu"),
    "贵州": ("Guizhou", "贵阳 遵义 guiyang"),
    "云南": ("Yunnan", "昆明 大理 丽江 kunming"),
    "西藏": ("Tibet", "拉萨 xizang lhasa"),
    "陕西": ("Shaanxi", "西安 咸阳 xi'an xian"),
    "甘肃": ("Gansu", "兰州 lanzhou"),
    "青海": ("Qinghai", "西宁 xining"),
    "宁夏": ("Ningxia", "银川 yinchuan"),
    "新疆": ("Xinjiang", "乌鲁木齐 喀什 urumqi"),
    "香港": ("Hong Kong", "hongkong hk"),
    "澳门": ("Macao", "macau"),
    "台湾": ("Taiwan", "台北 taipei"),
    "海外": (
        "abroad",
        "国外 外国 美国 日本 新加坡 英国 加拿大 澳大利亚 澳洲 overseas usa japan singapore",
    ),
}
_SUFFIX = re.compile(r"(?:壮族|回族|维吾尔)?(?:自治区|特别行政区|省|市|地区)$")


@cache
def _names() -> dict[str, str]:
    """Every spelling, folded, and the key it stands for."""
    found = {}
    for key, (english, others) in REGIONS.items():
        for name in (key, english, *others.split()):
            found[fold(name)] = key
    return found


@cache
def _pattern() -> re.Pattern[str]:
    names = sorted(_names(), key=len, reverse=True)
    latin = [re.escape(name) for name in names if name.isascii()]
    han = [re.escape(name) for name in names if not name.isascii()]
    return re.compile(rf"(?<![a-z])(?:{'|'.join(latin)})(?![a-z])|{'|'.join(han)}")


def regions_in(text: str) -> list[str]:
    """The keys of the regions that a sentence names, each once, in order."""
    found = (_names()[match[0]] for match in _pattern().finditer(fold(text)))
    return list(dict.fromkeys(found))


def region_of(name: str) -> str:
    """The key of one cell such as `广东省` or `guangdong`; empty when it is none."""
    folded = fold(name.strip())
    bare = _SUFFIX.sub("", folded)
    return _names().get(folded) or _names().get(bare) or ""


def region_name(key: str, language: str) -> str:
    return key if language == "zh" or key not in REGIONS else REGIONS[key][0]
