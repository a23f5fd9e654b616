"""Why a document ended as failed, as a sentence in the reader's language.

The parser brings the sentences of its own codes; here are those of everything around it.
"""

from furrow.knowledge.parsing.errors import MESSAGES as PARSING

_KEPT = "Nothing was added to the knowledge base."
_KEPT_ZH = "知识库内容没有变化。"

MESSAGES: dict[str, dict[str, str]] = {
    "internal": {
        "en": f"Something went wrong on our side while reading this document. {_KEPT} Try again; "
        "if it fails again, tell your operator.",
        "zh-hans": f"处理这个文档时系统出错。{_KEPT_ZH}请重试；如果仍然失败，请联系运营人员。",
    },
    "worker_lost": {
        "en": f"Reading this document stopped several times without an answer. {_KEPT} "
        "Split it into smaller files or save it as PDF, and upload that.",
        "zh-hans": f"处理这个文档时多次中断。{_KEPT_ZH}请拆分成小文件或另存为 PDF 后再上传。",
    },
    "no_text": {
        "en": f"No readable sentence was found in this document. {_KEPT} "
        "Check that it holds text, and upload it again.",
        "zh-hans": f"这个文档里没有找到可用的文字。{_KEPT_ZH}请确认文档含有文字后重新上传。",
    },
    "file_missing": {
        "en": f"The stored file is gone. {_KEPT} Please upload it again.",
        "zh-hans": f"已保存的文件找不到了。{_KEPT_ZH}请重新上传。",
    },
    "storage_full": {
        "en": f"There is no room left to store this document. {_KEPT} Please tell your operator.",
        "zh-hans": f"存储空间已满，无法保存这个文档。{_KEPT_ZH}请联系运营人员。",
    },
    "dns_failed": {
        "en": f"This web address could not be found. {_KEPT} Check it for typing errors.",
        "zh-hans": f"找不到这个网址。{_KEPT_ZH}请检查网址是否正确。",
    },
    "fetch_failed": {
        "en": f"The web page could not be fetched. {_KEPT} "
        "Open it in a browser; if it works there, try again or save it and upload the file.",
        "zh-hans": f"无法获取这个网页。{_KEPT_ZH}请用浏览器打开确认，可以稍后重试，或保存网页后上传文件。",
    },
    "address_refused": {
        "en": f"This address lies inside a private network and is not fetched. {_KEPT} "
        "Save the page and upload the file.",
        "zh-hans": f"这个网址位于内部网络，不能获取。{_KEPT_ZH}请保存网页后上传文件。",
    },
    "url_invalid": {
        "en": f"This web address cannot be fetched. {_KEPT} Use a full http or https address.",
        "zh-hans": f"无法获取这个网址。{_KEPT_ZH}请使用完整的 http 或 https 网址。",
    },
    "response_too_large": {
        "en": f"This web page is too large. {_KEPT} Save the part you need and upload that.",
        "zh-hans": f"这个网页太大。{_KEPT_ZH}请只保存需要的部分后上传。",
    },
    "too_many_redirects": {
        "en": f"This web address leads from page to page without end. {_KEPT} "
        "Open it in a browser and use the address shown there.",
        "zh-hans": f"这个网址不断跳转。{_KEPT_ZH}请用浏览器打开，并使用最后显示的网址。",
    },
}


def failure_message(code: str, language: str) -> str:
    """The sentence for a code, in Chinese for any `zh` tag and in English otherwise."""
    sentences = PARSING.get(code) or MESSAGES.get(code) or MESSAGES["internal"]
    return sentences["zh-hans" if language.lower().startswith("zh") else "en"]
