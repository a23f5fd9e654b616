"""A Word body as text, with the place of every run in the file's bytes.

Nothing is re-serialised: what no edit touches stays as it is to the last byte, and with it the revisions of
other authors. Element names: ECMA-376 part 1, chapter 17.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from apps.contracts.redline.package import DocumentUnreadable

WORD = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"
# Text that was deleted or moved away by somebody, and the twin of a newer drawing.
_HIDDEN = {"del", "moveFrom"}
_FOREIGN = {"ins", "moveTo"}
# They stand between paragraphs or runs without parting them.
_TRANSPARENT = {"bookmarkStart", "bookmarkEnd", "commentRangeStart", "commentRangeEnd", "proofErr"}
_CHARACTERS = {"tab": "\t", "cr": "\n", "noBreakHyphen": "-"}


@dataclass(frozen=True)
class Tagged:
    """An element: where it starts, where its opening tag ends, where it ends."""

    start: int
    open_end: int
    end: int


@dataclass
class Piece:
    """A child of a run: text, or something else of zero or one character that is copied as it is."""

    start: int
    end: int
    text: str = ""
    is_text: bool = False


@dataclass
class Shell:
    """Another author's insertion around runs."""

    start: int
    end: int = -1


@dataclass
class Run:
    start: int
    open_tag: bytes
    first: int
    end: int = -1
    properties: bytes = b""
    pieces: list[Piece] = field(default_factory=list)
    shell: Shell | None = None
    is_locked: bool = False

    @property
    def length(self) -> int:
        return sum(len(piece.text) for piece in self.pieces)

    @property
    def last(self) -> int:
        return self.first + self.length


@dataclass
class Paragraph:
    """`text` reads as Word shows it with everybody's changes accepted."""

    start: int
    open_end: int
    end: int = -1
    properties: Tagged | None = None
    # The properties of the mark that ends the paragraph.
    mark: Tagged | None = None
    # Where in the properties the mark's must stand: before a section or a tracked format (17.3.1.26).
    tail: int = -1
    has_section: bool = False
    is_mark_revised: bool = False
    is_followed: bool = False
    runs: list[Run] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(piece.text for run in self.runs for piece in run.pieces)


@dataclass
class Scanned:
    data: bytes
    prefix: str
    paragraphs: list[Paragraph]
    highest_id: int
    root_name: str = ""

    def slice(self, start: int, end: int) -> bytes:
        return self.data[start:end]


def scan(data: bytes) -> Scanned:
    """Raises `DocumentUnreadable` when the part is no XML, declares entities or is no Word body."""
    return _Scanner(data).run()


@dataclass
class _Frame:
    name: str
    start: int
    open_end: int
    paragraph: Paragraph | None = None
    run: Run | None = None
    # The paragraph that ended last among the children, if only transparent elements came since.
    before: Paragraph | None = None
    # A table row that somebody deleted.
    is_hiding: bool = False


class _Scanner:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.result = Scanned(data, "", [], 0)
        self.stack: list[_Frame] = []
        self.paragraphs: list[Paragraph] = []
        self.runs: list[Run] = []
        self.shells: list[Shell] = []
        self.hidden = 0
        self.piece: Piece | None = None
        self.prefixes: dict[str, str] = {}

    def run(self) -> Scanned:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartNamespaceDeclHandler = self._declared
        parser.StartElementHandler = lambda name, attrs: self._start(
            name, attrs, parser.CurrentByteIndex
        )
        parser.EndElementHandler = lambda _: self._end(parser.CurrentByteIndex)
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(self.data, True)
        except expat.ExpatError as error:
            raise DocumentUnreadable("damaged") from error
        # An attribute without a prefix is in no namespace: nothing could be written under a default one.
        if not self.result.prefix:
            raise DocumentUnreadable("not_word")
        return self.result

    def _refuse(self, *_: object) -> None:
        raise DocumentUnreadable("entities")

    def _declared(self, prefix: str | None, uri: str) -> None:
        if uri in WORD and uri not in self.prefixes:
            self.prefixes[uri] = prefix or ""
            self.result.prefix = f"{prefix}:" if prefix else ""

    def _start(self, name: str, attributes: dict[str, str], index: int) -> None:
        uri, _, local = name.rpartition(" ")
        open_end = _tag_end(self.data, index)
        if not self.stack:
            self.result.root_name = self.data[index + 1 : open_end].split()[0].strip(b"/>").decode()
        parent = self.stack[-1] if self.stack else None
        frame = _Frame(local if uri in WORD else f"{uri} {local}", index, open_end)
        self.stack.append(frame)
        self._note_id(attributes)
        if parent is not None:
            self._note_neighbour(parent, frame)
        if frame.name in _HIDDEN or frame.name == f"{_COMPATIBILITY} Fallback":
            self.hidden += 1
        elif frame.name in _FOREIGN:
            self.shells.append(Shell(index))
        elif not self.hidden:
            self._open(frame, parent, attributes)
        self._note_mark(frame, parent)

    def _open(self, frame: _Frame, parent: _Frame | None, attributes: dict[str, str]) -> None:
        if frame.name == "p":
            frame.paragraph = Paragraph(frame.start, frame.open_end)
            self.result.paragraphs.append(frame.paragraph)
            self.paragraphs.append(frame.paragraph)
        elif frame.name == "r" and self.paragraphs:
            self._open_run(frame)
        elif parent is not None and parent.run is not None:
            self._open_piece(frame, parent.run, attributes)
        elif frame.name == "rPrChange" and self.runs:
            self.runs[-1].is_locked = True

    def _open_run(self, frame: _Frame) -> None:
        paragraph = self.paragraphs[-1]
        first = paragraph.runs[-1].last if paragraph.runs else 0
        run = Run(frame.start, self.data[frame.start : frame.open_end], first)
        if self.shells:
            run.shell, run.is_locked = self.shells[0], True
        frame.run = run
        paragraph.runs.append(run)
        self.runs.append(run)

    def _open_piece(self, frame: _Frame, run: Run, attributes: dict[str, str]) -> None:
        if frame.name == "rPr":
            return
        piece = Piece(frame.start, -1)
        if frame.name == "t":
            piece.is_text = True
        elif frame.name == "br":
            is_page = any(
                key.endswith(" type") and value == "page" for key, value in attributes.items()
            )
            piece.text = "" if is_page else "\n"
        else:
            piece.text = _CHARACTERS.get(frame.name, "")
        run.pieces.append(piece)
        self.piece = piece

    def _text(self, text: str) -> None:
        if (
            self.piece is not None
            and self.piece.is_text
            and self.stack[-1].start == self.piece.start
        ):
            self.piece.text += text

    def _end(self, index: int) -> None:
        frame = self.stack.pop()
        is_empty = self.data[frame.open_end - 2 : frame.open_end] == b"/>"
        end = frame.open_end if is_empty else self.data.index(b">", index) + 1
        parent = self.stack[-1] if self.stack else None
        self.hidden -= frame.is_hiding
        if frame.name in _HIDDEN or frame.name == f"{_COMPATIBILITY} Fallback":
            self.hidden -= 1
        elif frame.name in _FOREIGN:
            self.shells.pop().end = end
        elif frame.paragraph is not None:
            frame.paragraph.end = end
            self.paragraphs.pop()
            if parent is not None:
                parent.before = frame.paragraph
        elif frame.run is not None:
            frame.run.end = end
            self.runs.pop()
        elif parent is not None:
            self._close_part(frame, parent, index, end)

    def _close_part(self, frame: _Frame, parent: _Frame, index: int, end: int) -> None:
        if parent.run is not None and not self.hidden:
            if frame.name == "rPr":
                parent.run.properties = self.data[frame.start : end]
            elif parent.run.pieces and parent.run.pieces[-1].start == frame.start:
                parent.run.pieces[-1].end = end
        elif parent.paragraph is not None and frame.name == "pPr":
            parent.paragraph.properties = Tagged(frame.start, frame.open_end, end)
            if parent.paragraph.tail < 0:
                parent.paragraph.tail = end if frame.open_end == end else index
        elif frame.name == "rPr" and self._is_of_paragraph(parent):
            self.paragraphs[-1].mark = Tagged(frame.start, frame.open_end, end)

    def _note_id(self, attributes: dict[str, str]) -> None:
        for key, value in attributes.items():
            if key.endswith(" id") and key.split(" ")[0] in WORD and value.isdigit():
                self.result.highest_id = max(self.result.highest_id, int(value))

    def _note_neighbour(self, parent: _Frame, frame: _Frame) -> None:
        if parent.before is not None and frame.name not in _TRANSPARENT:
            parent.before.is_followed = frame.name == "p"
            parent.before = None

    def _note_mark(self, frame: _Frame, parent: _Frame | None) -> None:
        """Revisions, section ends and tracked formats that hang on a paragraph or a table row."""
        if parent is None:
            return
        if parent.name == "trPr" and frame.name == "del":
            row = next((f for f in reversed(self.stack) if f.name == "tr"), None)
            if row is not None and not row.is_hiding:
                row.is_hiding, self.hidden = True, self.hidden + 1
        elif self._is_of_paragraph(parent):
            paragraph = self.paragraphs[-1]
            paragraph.has_section = paragraph.has_section or frame.name == "sectPr"
            if frame.name in ("sectPr", "pPrChange") and paragraph.tail < 0:
                paragraph.tail = frame.start
        elif parent.name == "rPr" and len(self.stack) > 2 and self._is_of_paragraph(self.stack[-3]):
            paragraph = self.paragraphs[-1]
            is_revision = frame.name in _HIDDEN | _FOREIGN
            paragraph.is_mark_revised = paragraph.is_mark_revised or is_revision

    def _is_of_paragraph(self, frame: _Frame) -> bool:
        """Whether it is the properties of the paragraph that is open."""
        if frame.name != "pPr" or not self.paragraphs:
            return False
        place = next((n for n, f in enumerate(self.stack) if f is frame), 0)
        return place > 0 and self.stack[place - 1].paragraph is self.paragraphs[-1]


def _tag_end(data: bytes, start: int) -> int:
    """Just behind the `>` that ends the tag at `start`; a quoted `>` does not."""
    quote = 0
    for place in range(start, len(data)):
        byte = data[place]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in (0x22, 0x27):
            quote = byte
        elif byte == 0x3E:
            return place + 1
    raise DocumentUnreadable("damaged")
