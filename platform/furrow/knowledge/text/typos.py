"""What a mistyped word may have been: one letter off in Latin words, one character off in Chinese pairs."""

from functools import cache, lru_cache

from furrow.knowledge.text.pinyin import sounding_like

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LEAST_LENGTH = 4
# Characters that are mistaken for each other by their look, on paper and in photos.
_LOOK_ALIKE = (
    "货贷贸 运远 退迟 己已巳 未末本 土士 日曰 人入八 大太犬 天夫无 千干于 由甲申田 戊戌戍 折拆析 侯候 "
    "徽微 辛幸 圆园 桔结 凉惊晾 清请情晴 晴睛 拔拨 扳板 抢枪抡 优忧 伏优 保堡 件伴 价阶 份分 付会 "
    "包句勾 收叫 发友 房户 存在 库裤 果杲 采菜彩 橙澄 柚油 枣束 桃挑 梨犁 李季 杏否 茶荼 酒洒 蜜密 "
    "箱籍 盒盆 袋代 瓶并 斤斥 克兄 重里 量童 尺斤 寸才 券卷 票漂 税锐 额颌 费贵 钱线 账帐 单草 订定钉 "
    "快块 递弟 邮由 寄奇 送关 签鉴 损捐 坏怀环 烂栏拦 赔陪培 偿尝 换唤 补扑 修休 检捡险 验险 质盾 "
    "合台 同洞 约钓 租粗 借惜 贷袋 押抻 息恩 违讳 解触 除徐余 终络 止上 效郊 期斯 限眼 诉诊 讼沦 "
    "析折 律津 师帅 保保 户尸 营宫 照昭 证征 活话 招招 牌碑 店点 铺辅 址扯 号呺 码吗 电由 话括 微徵 信住"
)


@lru_cache(maxsize=1 << 12)
def words_near(word: str) -> frozenset[str]:
    """Latin words one slip away: a letter too many, too few, wrong, or two swapped."""
    if len(word) < _LEAST_LENGTH or not (word.isascii() and word.isalpha()):
        return frozenset()
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    near = {left + right[1:] for left, right in cuts if right}
    near |= {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    near |= {left + letter + right[1:] for left, right in cuts if right for letter in _LETTERS}
    near |= {left + letter + right for left, right in cuts for letter in _LETTERS}
    return frozenset(near - {word})


def pairs_near(pair: str) -> frozenset[str]:
    """Chinese pairs with one character exchanged for one that sounds or looks like it."""
    first, second = pair[0], pair[1]
    near = {other + second for other in (*sounding_like(first), *looking_like(first))}
    near |= {first + other for other in (*sounding_like(second), *looking_like(second))}
    return frozenset(near - {pair})


def looking_like(char: str) -> tuple[str, ...]:
    return _look_alikes().get(char, ())


@cache
def _look_alikes() -> dict[str, tuple[str, ...]]:
    alike: dict[str, set[str]] = {}
    for group in _LOOK_ALIKE.split():
        for char in group:
            alike.setdefault(char, set()).update(set(group) - {char})
    return {char: tuple(sorted(others)) for char, others in alike.items()}
