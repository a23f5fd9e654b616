"""Words that no reader needs or may rely on: page furniture, gaps to fill in, offers that are over, cut ends."""

import re
from collections.abc import Sequence
from datetime import date

from furrow.knowledge.parsing.document import Block

_PLACEHOLDER = re.compile(
    r"[xX×＊*]{3,}(?=[年月日元公号司市省县区]|[\s，。,.；;：:、）)】]|$)|_{4,}|＿{3,}|\[[^\[\]]{0,12}(?:填写|待定|名称|日期|金额|姓名|insert|your|name|date|tbd)[^\[\]]{0,20}\]"
    r"|[【（(](?:待补充|待填|此处填写|请填写|待定|待确认)[^】）)]{0,10}[】）)]|\bTODO\b|\bTBD\b|\bFIXME\b|lorem ipsum|此处(?:插入|填写|补充)|"
    r"\{\{[^{}]{1,40}\}\}|<(?:公司名称|姓名|日期|company name|date|name)>",
    re.IGNORECASE,
)
# A form's line for a signature is meant to be filled in by hand.
_FORM_LINE = re.compile(
    r"签字|签名|签章|盖章|signature|signed|sign here|日期[:：]\s*_|date:\s*_", re.IGNORECASE
)
_DAY = r"(20\d\d)\s?[年./-]\s?(\d{1,2})\s?[月./-]\s?(\d{1,2})\s?日?"
_ENDS = re.compile(
    rf"(?:截止(?:时间|日期|到|至)?|有效期?(?:至|到|截至)|活动(?:时间|日期|期间)?[^。\n]{{0,24}}?[至到—~-]|优惠(?:时间|期)?[^。\n]{{0,24}}?[至到—~-]|"
    rf"valid (?:until|through|till)|offer ends(?: on)?|expires(?: on)?|until)\s*[:：]?\s*{_DAY}",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"活动|优惠|促销|特价|折扣|满减|预售|抢购|截止|有效|报名|offer|sale|discount|promotion|valid|expires|coupon",
    re.IGNORECASE,
)
_NAVIGATION = re.compile(
    r"^(?:首页|主页|关于我们|联系我们|产品中心|新闻中心|公司简介|登录|注册|购物车|我的订单|会员中心|帮助中心|网站地图|在线留言|加入收藏|"
    r"返回|更多|home|about(?: us)?|contact(?: us)?|products?|news|blog|login|log in|sign in|sign up|register|cart|checkout|my account|"
    r"sitemap|faq|help|search|menu|shop|services|privacy(?: policy)?|terms(?: of use| of service)?)$",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s*(?:[|｜>»›/·•＞]|\s{2,}|\t|、(?=首页))\s*")
_FURNITURE = re.compile(
    r"^(?:(?:本网站|我们)使用\s?cookies?|this (?:web)?site uses cookies|we use cookies|accept (?:all )?cookies|"
    r"当前位置[:：]|您的位置[:：]|you are here[:：]|subscribe to our newsletter|follow us on|关注我们(?:的)?(?:微信|公众号)?\W*$|"
    r"扫(?:一扫|码)(?:关注|分享|下载)|浏览次数[:：]?\s*\d+|阅读(?:量|次数)?[:：]\s*\d+|上一条[:：]|下一条[:：]|技术支持[:：]|友情链接[:：]|"
    r"powered by\b|all prices in .{0,20} cookie)",
    re.IGNORECASE,
)
_OPEN_END = re.compile(
    r"(?:[，,、；;：:（(]|的|和|与|或|及|以及|并且?|因为|如果|但是?|对于|the|an?|of|and|or|to|with|for|in|by)$",
    re.IGNORECASE,
)
_CUT_LENGTH = 16


def furniture(text: str) -> str:
    """Which kind of page furniture a whole block is, empty for none."""
    if _FURNITURE.search(text):
        return "page furniture"
    parts = [part for part in _SEPARATOR.split(text.strip()) if part]
    named = sum(bool(_NAVIGATION.match(part)) for part in parts)
    if len(parts) >= 3 and named >= 0.6 * len(parts):
        return "navigation"
    words = text.split()
    if len(words) >= 4 and all(_NAVIGATION.match(word) for word in words):
        return "navigation"
    return ""


def placeholder(text: str) -> str:
    """The gap that somebody should have filled in."""
    match = _PLACEHOLDER.search(text)
    if match is None or (_FORM_LINE.search(text) and "_" in match[0]):
        return ""
    return match[0]


def ended(text: str, today: date) -> str:
    """The last day of an offer that is over."""
    if not _OFFER.search(text):
        return ""
    for match in _ENDS.finditer(text):
        try:
            day = date(*(int(part) for part in match.groups()[-3:]))
        except ValueError:
            continue
        if day < today:
            return day.isoformat()
    return ""


def is_cut_off(block: Block, following: Sequence[Block]) -> bool:
    """A paragraph that stops within a sentence, with nothing behind it that could go on."""
    text = block.text.rstrip()
    if block.kind != "paragraph" or len(text) < _CUT_LENGTH or not _OPEN_END.search(text):
        return False
    after = next((b for b in following[:2] if b.kind != "running"), None)
    if text[-1] in "：:":
        # `Prices are as follows:` leads to what follows, whatever it is; at the very end it leads nowhere.
        return after is None or after.kind == "heading"
    # A list, a table or a line that goes on in lower case is where the sentence continues.
    if after is None or after.kind == "heading":
        return True
    if after.kind != "paragraph":
        return False
    return _starts_anew(after.text) and text[-1] not in "；;"


def _starts_anew(text: str) -> bool:
    return not (text[0].isascii() and text[0].islower())
