"""Sentences of a document that speak to the machine instead of to a reader: neither shown to the model nor proof."""

import re

from furrow.assistants.verifier.plain import unsafe_part
from furrow.knowledge.sentences import split_sentences
from furrow.knowledge.text.folding import fold

_TO_THE_MACHINE = re.compile(
    r"(?:忽略|无视|忘记|忘掉|不要理会|取消).{0,6}(?:以上|上面|之前|先前|前面|所有|全部|任何)?.{0,4}(?:规则|指令|指示|提示|限制|设定|内容|资料|价目表|说明)"
    r"|(?:从现在起|从现在开始|接下来)?你(?:现在)?(?:是|扮演|充当|必须扮演)|系统(?:消息|提示|指令)|提示词|开发者模式|(?:解码|破译)并(?:执行|遵守)"
    r"|(?:告诉|对|向|回复|引导)(?:顾客|用户|客户|访客|对方)(?:说|回复|回答|：|:)|(?:告诉|引导)(?:顾客|用户|客户|访客).{0,12}(?:是|到|去|：|:)|从现在起用\S{1,4}回答|(?:回答|回复|输出)时?(?:请|必须|都要|末尾)"
    r"|请(?:把|将).{0,14}(?:输出|复述|重复|列出)|请(?:查询|读取)(?:租户|其他)|工具(?:返回|结果)"
    r"|\b(?:ignore|disregard|forget|override|bypass)\b.{0,24}\b(?:instructions?|rules?|prompts?|above|previous|everything|price list|sources?|policy)\b"
    r"|\byou are now\b|\bfrom now on\b.{0,16}\b(?:answer|reply|say|respond|you)\b|\bsystem (?:prompt|message)\b|^\s*(?:#+\s*)?system\s*:|\bdecode and (?:obey|execute|follow)\b"
    r"|\btell the (?:user|customer|visitor|client)\b|\b(?:always|please)? ?(?:append|render|print|output|repeat|reply with|respond with|answer in|link the word)\b.{0,40}\b(?:answers?|above|prompt|badge|this|only|partner|line|\\u)"
    r"|\btool[ _]result\b|\bact as\b|\bpretend to be\b|\bas an ai\b",
    re.I,
)


# Honest documents have no reason to turn their text around, to write it invisibly or to take words apart.
_TURNED = re.compile(
    "[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]|(?:\\w[\u200b\u2060-\u2064]){3}"
)


def speaks_to_machine(sentence: str) -> bool:
    return (
        bool(_TURNED.search(sentence))
        or bool(_TO_THE_MACHINE.search(fold(sentence)))
        or bool(unsafe_part(sentence))
    )


def without_commands(text: str) -> str:
    """The text with such sentences blanked; offsets stay. A table or a code that only looks strange goes with
    them: it can still be quoted by the rung that writes nothing.
    """
    for start, end in split_sentences(text):
        if speaks_to_machine(text[start:end]):
            text = text[:start] + " " * (end - start) + text[end:]
    return text
