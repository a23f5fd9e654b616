"""The XML of revisions: ECMA-376 part 1, 17.13.5. Everything here makes bytes; nothing reads any."""

import re
from xml.sax.saxutils import escape, quoteattr

_UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_writable(text: str) -> bool:
    """Whether XML 1.0 may hold the text."""
    return _UNWRITABLE.search(text) is None


def made_writable(text: str) -> str:
    """Each character that XML 1.0 may not hold is one space, so that places stay."""
    return _UNWRITABLE.sub(" ", text)


class Markup:
    """Makes elements of one author at one moment, with ids that the file does not have yet."""

    def __init__(self, prefix: str, author: str, moment: str, next_id: int) -> None:
        self.prefix = prefix
        self.author = author
        self.moment = moment
        self._next_id = next_id

    def id_take(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def element(self, name: str, body: str = "", attributes: str = "") -> str:
        tag = f"{self.prefix}{name}"
        return f"<{tag}{attributes}>{body}</{tag}>" if body else f"<{tag}{attributes}/>"

    def attribute(self, name: str, value: object) -> str:
        return f" {self.prefix}{name}={quoteattr(str(value))}"

    def revision(self, name: str, body: str = "") -> str:
        """`ins` or `del` around runs, or as an empty mark of a paragraph's end."""
        return self.element(name, body, self.signed(self.id_take()))

    def signed(self, identity: int) -> str:
        attributes = self.attribute("id", identity) + self.attribute("author", self.author)
        return attributes + self.attribute("date", self.moment)

    def text(self, text: str, *, is_deleted: bool = False) -> str:
        """Runs' contents: text with its tabs and line breaks."""
        name = "delText" if is_deleted else "t"
        out = []
        for part in re.split("([\t\n])", text):
            if part == "\t":
                out.append(self.element("tab"))
            elif part == "\n":
                out.append(self.element("br"))
            elif part:
                out.append(self.element(name, escape(part), ' xml:space="preserve"'))
        return "".join(out)

    def run(self, text: str, properties: str = "") -> str:
        return self.element("r", properties + self.text(text))

    def range_start(self, identity: int) -> str:
        return self.element("commentRangeStart", attributes=self.attribute("id", identity))

    def range_end(self, identity: int) -> str:
        mark = self.attribute("id", identity)
        reference = self.element("r", self.element("commentReference", attributes=mark))
        return self.element("commentRangeEnd", attributes=mark) + reference
