"""Collects what happens in each paragraph and turns it into bytes once."""

from dataclasses import dataclass, field

from apps.contracts.redline.edits import Edit, EditRefused, Swap
from apps.contracts.redline.markup import Markup
from apps.contracts.redline.runs import ParagraphWriter
from apps.contracts.redline.scan import Paragraph, Scanned


@dataclass
class Remark:
    """A comment on a stretch of a paragraph; its number is given when it is written."""

    start: int
    end: int
    text: str
    identity: int = -1


@dataclass
class Work:
    """What one paragraph is in for."""

    swaps: list[Swap] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    inserted: list[tuple[str, Remark | None]] = field(default_factory=list)
    is_deleted: bool = False


class Plan:
    def __init__(self, scanned: Scanned, markup: Markup) -> None:
        self._scanned = scanned
        self._markup = markup
        self._work: dict[int, Work] = {}
        self.remarks: list[Remark] = []

    def swap(self, edit: Edit, paragraph: Paragraph, swaps: list[Swap]) -> None:
        work = self._of(paragraph)
        if work.is_deleted:
            raise EditRefused(edit, "overlap")
        for swap in swaps:
            if any(_meet(swap, other) for other in work.swaps):
                raise EditRefused(edit, "overlap")
            if _touches_revision(paragraph, swap):
                raise EditRefused(edit, "revision")
        work.swaps += swaps

    def remark_check(self, edit: Edit, paragraph: Paragraph) -> None:
        """Somebody may have inserted the whole paragraph as a block: there is no place beside that."""
        if any(run.shell and run.shell.start < paragraph.start for run in paragraph.runs):
            raise EditRefused(edit, "revision")

    def remark(self, paragraph: Paragraph, remark: Remark) -> None:
        remark.identity = self._markup.id_take()
        self._of(paragraph).remarks.append(remark)
        self.remarks.append(remark)

    def paragraph_insert(self, paragraph: Paragraph, text: str, comment: str) -> None:
        remark = None
        if comment:
            remark = Remark(0, len(text), comment, self._markup.id_take())
            self.remarks.append(remark)
        self._of(paragraph).inserted.append((text, remark))

    def paragraph_delete(self, edit: Edit, paragraph: Paragraph) -> None:
        work = self._of(paragraph)
        if work.swaps or work.is_deleted:
            raise EditRefused(edit, "overlap")
        whole = Swap(0, len(paragraph.text), "")
        if _touches_revision(paragraph, whole):
            raise EditRefused(edit, "revision")
        if paragraph.text:
            work.swaps.append(whole)
        work.is_deleted = True

    def written(self) -> bytes:
        """The body with everything in its place."""
        splices: list[tuple[int, int, str]] = []
        for start, work in self._work.items():
            paragraph = next(p for p in self._scanned.paragraphs if p.start == start)
            writer = ParagraphWriter(self._scanned, self._markup, paragraph)
            splices += writer.runs(work.swaps, [(r.start, r.end, r.identity) for r in work.remarks])
            if work.is_deleted:
                splices.append(writer.mark_deleted())
            if work.inserted:
                body = "".join(
                    writer.inserted_paragraph(text, -1 if remark is None else remark.identity)
                    for text, remark in work.inserted
                )
                splices.append((paragraph.end, paragraph.end, body))
        return _spliced(self._scanned.data, splices)

    def _of(self, paragraph: Paragraph) -> Work:
        return self._work.setdefault(paragraph.start, Work())


def _meet(one: Swap, other: Swap) -> bool:
    """Two changes at the same place have no order, so they exclude each other as well."""
    return one.start <= other.end and other.start <= one.end


def _touches_revision(paragraph: Paragraph, swap: Swap) -> bool:
    return any(
        run.is_locked and swap.start < run.last and run.first < swap.end for run in paragraph.runs
    )


def _spliced(data: bytes, splices: list[tuple[int, int, str]]) -> bytes:
    out: list[bytes] = []
    place = 0
    for start, end, new in sorted(splices, key=lambda splice: (splice[0], splice[1])):
        out += [data[place:start], new.encode()]
        place = end
    out.append(data[place:])
    return b"".join(out)
