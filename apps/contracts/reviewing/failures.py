"""Why a contract could not be read or reviewed, as a sentence for the person who handed it in.

The platform's sentences speak of a knowledge base; here the contract is what was kept.
"""

from django.utils.translation import get_language

from furrow.knowledge.failures import failure_message

_KEPT = (
    ("The file is stored, nothing was added to the knowledge base.", "The file is kept, no review was made."),
    ("Nothing was added to the knowledge base.", "No review was made; the contract is kept."),
    ("文件已保存，知识库内容没有变化。", "文件已保存，没有进行审查。"),
    ("知识库内容没有变化。", "没有进行审查，合同已保留。"),
)  # fmt: skip


def fault_message(code: str, language: str = "") -> str:
    text = failure_message(code, language or get_language() or "en")
    for said, meant in _KEPT:
        text = text.replace(said, meant)
    return text
