"""Why a file could not be read, in sentences for the person who uploaded it.

Each says what happened, what was kept and what to do next. The parser knows nothing of gettext,
because it runs in a bare process; the two languages stand here side by side.
"""

_KEPT = "The file is stored, nothing was added to the knowledge base."
_KEPT_ZH = "文件已保存，知识库内容没有变化。"

MESSAGES: dict[str, dict[str, str]] = {
    "encrypted": {
        "en": f"This file is protected by a password, so its text cannot be read. {_KEPT} "
        "Save a copy without the password and upload that.",
        "zh-hans": f"这个文件有密码保护，无法读取文字。{_KEPT_ZH}请另存一份不带密码的文件再上传。",
    },
    "bomb": {
        "en": f"This file unpacks to far more data than a normal document. {_KEPT} "
        "Open it in its program, save it under a new name, and upload the new file.",
        "zh-hans": f"这个文件解压后的数据量异常大，已停止处理。{_KEPT_ZH}"
        "请在原软件中打开，另存为新文件后再上传。",
    },
    "too_large": {
        "en": f"This file is larger than the allowed size. {_KEPT} "
        "Split it into smaller files and upload them one by one.",
        "zh-hans": f"这个文件超过了允许的大小。{_KEPT_ZH}请拆分成几个小文件，分别上传。",
    },
    "too_many_pages": {
        "en": f"This file has more pages than allowed. {_KEPT} "
        "Split it into parts and upload them one by one.",
        "zh-hans": f"这个文件的页数超过了上限。{_KEPT_ZH}请拆分成几部分，分别上传。",
    },
    "empty_scan": {
        "en": f"No text could be found in this file, not even by reading its pictures. {_KEPT} "
        "Scan it again, sharper and straight, or upload the original document.",
        "zh-hans": f"这个文件里没有找到文字，识别图片后也没有。{_KEPT_ZH}"
        "请重新扫描（清晰、端正），或上传原始文档。",
    },
    "empty": {
        "en": f"This file is empty. {_KEPT} Check the file on your computer and upload it again.",
        "zh-hans": f"这个文件是空的。{_KEPT_ZH}请检查电脑上的文件后重新上传。",
    },
    "wrong_type": {
        "en": f"The content of this file does not match its name. {_KEPT} "
        "Give it the right ending, or export it again from its program, and upload it.",
        "zh-hans": f"这个文件的内容与文件名后缀不符。{_KEPT_ZH}"
        "请改成正确的后缀，或从原软件重新导出后再上传。",
    },
    "unsupported": {
        "en": f"Files of this kind cannot be read. {_KEPT} Upload PDF, Word (.docx), Excel (.xlsx), "
        "PowerPoint (.pptx), CSV, a web page, Markdown, plain text, PNG or JPEG.",
        "zh-hans": f"暂不支持这种文件。{_KEPT_ZH}请上传 PDF、Word（.docx）、Excel（.xlsx）、"
        "PowerPoint（.pptx）、CSV、网页、Markdown、纯文本、PNG 或 JPEG。",
    },
    "old_office": {
        "en": f"This is a file of an old Office version (.doc, .xls or .ppt). {_KEPT} Open it, "
        "save it as .docx, .xlsx or .pptx, and upload the new file.",
        "zh-hans": f"这是旧版 Office 文件（.doc、.xls 或 .ppt）。{_KEPT_ZH}"
        "请打开后另存为 .docx、.xlsx 或 .pptx，再上传新文件。",
    },
    "damaged": {
        "en": f"This file is damaged or incomplete and cannot be opened. {_KEPT} "
        "Open it in its program, save it again, and upload the new file.",
        "zh-hans": f"这个文件已损坏或不完整，无法打开。{_KEPT_ZH}请在原软件中打开并重新保存后再上传。",
    },
    "timeout": {
        "en": f"Reading this file took too long and was stopped. {_KEPT} "
        "Split it into smaller files, or save it again as PDF, and upload that.",
        "zh-hans": f"读取这个文件用时过长，已停止。{_KEPT_ZH}请拆分成小文件，或另存为 PDF 后再上传。",
    },
    "out_of_memory": {
        "en": f"Reading this file needed too much memory and was stopped. {_KEPT} "
        "Make its pictures smaller or split it, and upload it again.",
        "zh-hans": f"读取这个文件需要的内存过多，已停止。{_KEPT_ZH}请缩小其中的图片或拆分文件后再上传。",
    },
    "crashed": {
        "en": f"The reader stopped unexpectedly on this file. {_KEPT} "
        "Save it again in its program, or as PDF, and upload the new file.",
        "zh-hans": f"读取这个文件时程序意外停止。{_KEPT_ZH}请在原软件中重新保存或另存为 PDF 后再上传。",
    },
    "doctype_forbidden": {
        "en": f"This file holds definitions that normal documents never have and that can be used "
        f"for attacks. {_KEPT} Open it in Word, Excel or PowerPoint and save it as a new file.",
        "zh-hans": f"这个文件含有正常文档不会有、可能被用来攻击的定义。{_KEPT_ZH}"
        "请用 Word、Excel 或 PowerPoint 打开并另存为新文件。",
    },
}


class ParseFailure(Exception):
    """A file that ends as failed. `code` is a key of `MESSAGES`; `detail` is for the log only."""

    def __init__(self, code: str, detail: str = "") -> None:
        if code not in MESSAGES:
            raise ValueError(f"unknown parse failure code: {code}")
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    @property
    def message(self) -> str:
        """The English sentence."""
        return MESSAGES[self.code]["en"]

    def message_in(self, language: str) -> str:
        """The sentence in Chinese for any `zh` tag, in English otherwise."""
        key = "zh-hans" if language.lower().startswith("zh") else "en"
        return MESSAGES[self.code][key]

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code
