"""Who concludes the contract: role, name and identity number, at the head and at the signatures."""

import re
from dataclasses import dataclass

from apps.contracts.reading.text import ContractText

ROLES = (
    "甲方 乙方 丙方 丁方 出卖人 买受人 卖方 买方 供方 需方 出租方 承租方 出租人 承租人 用人单位 劳动者 用工单位 "
    "委托方 受托方 委托人 受托人 服务方 服务提供方 出借人 借款人 贷款人 出借方 借款方 保证人 担保人 担保方 披露方 接收方 "
    "供应商 经销商 代理商 代理人 被代理人 被代理方 代理方 许可方 被许可方 开发方 发包方 承包方 发包人 承包人 采购方 供货方 "
    "转让方 受让方 授权方 被授权方 品牌方 收购方 出售方 雇主 员工 职工 中介方 居间方 居间人 合作方 运营方"
).split()
_ROLE = "|".join(sorted(ROLES, key=len, reverse=True))
# 甲方（出卖人）：某某公司    出卖人（以下简称“甲方”）：某某公司
_HEAD = re.compile(
    rf"^[\s　]*(?P<role>{_ROLE})\s*(?P<extra>[（(][^）)\n]{{1,24}}[）)])?\s*[:：]\s*(?P<name>[^\n，,；;。|]*)"
)
_COLUMNS = re.compile(rf"[\s　]{{2,}}(?=(?:{_ROLE})\s*(?:[（(][^）)]{{1,24}}[）)])?\s*[:：])")
_NAME_END = re.compile(
    r"[（(](?:以下|下称|简称|盖章|签字|签章|公章|签名)|[\s　]{2,}|[（(]\s*[)）]$|(?:统一社会|身份证|住所|地址|法定代表)"
)
_SIGNING = re.compile(r"盖章|签字|签章|签名|公章")
_BLANK = re.compile(r"^[_＿\s　/\-—.…（）()]*$")


@dataclass(frozen=True, slots=True)
class Party:
    """`roles` are the words the contract uses for it. `is_signature`: named at the end, for signing."""

    roles: tuple[str, ...]
    name: str
    start: int
    end: int
    is_signature: bool


def parties_read(text: ContractText) -> list[Party]:
    found: list[Party] = []
    seen: set[str] = set()
    for paragraph in text.paragraphs:
        for start, line in _pieces(text.words_of(paragraph)):
            match = _HEAD.match(line)
            if match is None or len(line) > 120:
                continue
            roles = _roles(match)
            extra = match["extra"] or ""
            is_signature = bool(_SIGNING.search(line)) or (
                bool(seen & set(roles)) and paragraph.start > len(text.text) * 0.5
            )
            if not is_signature and paragraph.start > len(text.text) * 0.5:
                continue
            name = _NAME_END.split(match["name"], maxsplit=1)[0].strip(" 　_＿")
            if _SIGNING.search(extra) and not name:
                continue
            place = paragraph.start + start + match.start("name")
            place += match["name"].find(name) if name else 0
            seen.update(roles)
            if not _BLANK.match(name):
                found.append(Party(roles, name, place, place + len(name), is_signature))
    return found


def _pieces(words: str) -> list[tuple[int, str]]:
    """Lines, and the columns of a line with two signatures beside each other."""
    pieces: list[tuple[int, str]] = []
    place = 0
    for line in words.split("\n"):
        starts = [0, *[match.end() for match in _COLUMNS.finditer(line)]]
        for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
            pieces.append((place + start, line[start:end].rstrip()))
        place += len(line) + 1
    return pieces


def _roles(match: re.Match[str]) -> tuple[str, ...]:
    extra = match["extra"] or ""
    others = [role for role in re.findall(_ROLE, extra) if role != match["role"]]
    return (match["role"], *others)
