"""One paragraph's runs, cut where an edit or a comment begins or ends."""

from dataclasses import dataclass

from apps.contracts.redline.edits import Swap
from apps.contracts.redline.markup import Markup
from apps.contracts.redline.scan import Paragraph, Run, Scanned, Tagged

Splice = tuple[int, int, str]
# Start, end and number of a comment.
Mark = tuple[int, int, int]


@dataclass
class _Insertion:
    """New text behind character `at`, in the look of `run`."""

    at: int
    text: str
    run: Run | None


class ParagraphWriter:
    def __init__(self, scanned: Scanned, markup: Markup, paragraph: Paragraph) -> None:
        self.scanned = scanned
        self.markup = markup
        self.paragraph = paragraph
        # Runs without characters hold pictures, notes and field codes; edits pass them by.
        self.written = [run for run in paragraph.runs if run.length]

    def runs(self, swaps: list[Swap], marks: list[Mark]) -> list[Splice]:
        insertions = [
            _Insertion(swap.end, swap.text, self._look(swap)) for swap in swaps if swap.text
        ]
        splices: list[Splice] = []
        for run in self.written:
            if run.is_locked:
                splices += self._around(run, insertions, marks)
            elif self._is_touched(run, swaps, insertions, marks):
                splices.append((run.start, run.end, self._rewritten(run, swaps, insertions, marks)))
        if not self.written and insertions:
            splices.append(self._into_empty(insertions))
        return splices

    def mark_deleted(self) -> Splice:
        """The paragraph's end is struck out too, so that accepting joins what follows."""
        mark, paragraph = self.markup.revision("del"), self.paragraph
        if paragraph.mark is not None:
            return self._filled(paragraph.mark, "rPr", mark)
        properties = self.markup.element("rPr", mark)
        if paragraph.properties is None:
            place = paragraph.open_end
            return (place, place, self.markup.element("pPr", properties))
        if paragraph.properties.open_end == paragraph.properties.end:
            return self._filled(paragraph.properties, "pPr", properties)
        return (paragraph.tail, paragraph.tail, properties)

    def inserted_paragraph(self, text: str, comment: int) -> str:
        """A paragraph that is wholly an insertion, its end included."""
        body = self.markup.revision("ins", self.markup.run(text, self._plain_look()))
        if comment >= 0:
            start, end = self.markup.range_start(comment), self.markup.range_end(comment)
            body = start + body + end
        mark = self.markup.element("rPr", self.markup.revision("ins"))
        return self.markup.element("p", self.markup.element("pPr", self._style() + mark) + body)

    def _is_touched(
        self, run: Run, swaps: list[Swap], insertions: list[_Insertion], marks: list[Mark]
    ) -> bool:
        return (
            any(swap.start < run.last and run.first < swap.end for swap in swaps)
            or any(self._home(insertion) is run for insertion in insertions)
            or any(run.first <= start < run.last or run.first < end <= run.last
                   for start, end, _ in marks)
        )  # fmt: skip

    def _rewritten(
        self, run: Run, swaps: list[Swap], insertions: list[_Insertion], marks: list[Mark]
    ) -> str:
        """Segments between cuts, each kept or struck out, with what stands at the cuts."""
        cuts = {run.first, run.last}
        cuts |= {place for swap in swaps for place in (swap.start, swap.end)}
        cuts |= {place for start, end, _ in marks for place in (start, end)}
        places = sorted(cut for cut in cuts if run.first <= cut <= run.last)
        out = self._opening(run, places[0], insertions, marks)
        for start, end in zip(places, places[1:], strict=False):
            is_deleted = any(swap.start <= start and end <= swap.end for swap in swaps)
            out += self._segment(run, start, end, is_deleted=is_deleted)
            out += self._inserted(run, end, insertions)
            out += "".join(self.markup.range_end(n) for _, last, n in marks if last == end)
            if end < run.last:
                out += "".join(self.markup.range_start(n) for at, _, n in marks if at == end)
        return out

    def _opening(
        self, run: Run, place: int, insertions: list[_Insertion], marks: list[Mark]
    ) -> str:
        starts = "".join(self.markup.range_start(n) for at, _, n in marks if at == place)
        return self._inserted(run, place, insertions) + starts

    def _inserted(self, run: Run, place: int, insertions: list[_Insertion]) -> str:
        return "".join(
            self.markup.revision("ins", self.markup.run(one.text, _properties(one.run)))
            for one in insertions
            if one.at == place and self._home(one) is run
        )

    def _segment(self, run: Run, start: int, end: int, *, is_deleted: bool) -> str:
        """The run's pieces between two of its characters. What has no character is never struck out."""
        out, body, place = "", "", run.first
        for piece in run.pieces:
            first, place = place, place + len(piece.text)
            if not piece.text:
                # At a cut it belongs to what follows; at the run's end to the last segment.
                if not (start <= first < end or first == end == run.last):
                    continue
                if is_deleted:
                    out += self._run(run, body, is_deleted=True)
                    out += self._run(run, self._raw(piece.start, piece.end), is_deleted=False)
                    body = ""
                else:
                    body += self._raw(piece.start, piece.end)
                continue
            text = piece.text[max(0, start - first) : max(0, end - first)]
            if text == piece.text and not (is_deleted and piece.is_text):
                body += self._raw(piece.start, piece.end)
            elif text:
                body += self.markup.text(text, is_deleted=is_deleted)
        return out + self._run(run, body, is_deleted=is_deleted)

    def _run(self, run: Run, body: str, *, is_deleted: bool) -> str:
        if not body:
            return ""
        text = f"{run.open_tag.decode()}{run.properties.decode()}{body}</{self.markup.prefix}r>"
        return self.markup.revision("del", text) if is_deleted else text

    def _around(self, run: Run, insertions: list[_Insertion], marks: list[Mark]) -> list[Splice]:
        """What belongs at a run that must stay as it is goes before or behind the whole revision."""
        before, after = (run.shell.start, run.shell.end) if run.shell else (run.start, run.end)
        starts = "".join(
            self.markup.range_start(n) for at, _, n in marks if run.first <= at < run.last
        )
        ends = "".join(self.markup.range_end(n) for _, at, n in marks if run.first < at <= run.last)
        new = "".join(
            self.markup.revision("ins", self.markup.run(one.text, _properties(one.run)))
            for one in insertions
            if self._home(one) is run
        )
        splices = [(before, before, starts), (after, after, new + ends)]
        return [splice for splice in splices if splice[2]]

    def _look(self, swap: Swap) -> Run | None:
        """New text looks as what it replaces, or as the character before it."""
        if swap.end > swap.start:
            return next((run for run in self.written if run.last > swap.start), None)
        return self._home(_Insertion(swap.end, "", None))

    def _home(self, insertion: _Insertion) -> Run | None:
        """The run whose rewriting carries the insertion: the one before the place if it may be touched."""
        before = next((r for r in self.written if r.first < insertion.at <= r.last), None)
        after = next((r for r in self.written if r.first == insertion.at), None)
        if before is not None and not (before.is_locked and insertion.at == before.last):
            return before
        if after is not None and not after.is_locked:
            return after
        return before or after

    def _into_empty(self, insertions: list[_Insertion]) -> Splice:
        body = "".join(self.markup.revision("ins", self.markup.run(one.text)) for one in insertions)
        paragraph = self.paragraph
        if paragraph.open_end == paragraph.end:
            return self._filled(Tagged(paragraph.start, paragraph.end, paragraph.end), "p", body)
        place = self.scanned.data.rindex(b"</", paragraph.start, paragraph.end)
        return (place, place, body)

    def _filled(self, element: Tagged, name: str, child: str) -> Splice:
        """`child` as the first one; an empty element gets a closing tag."""
        if element.open_end < element.end:
            return (element.open_end, element.open_end, child)
        opened = self._raw(element.start, element.end - 2)
        return (element.start, element.end, f"{opened}>{child}</{self.markup.prefix}{name}>")

    def _style(self) -> str:
        """The paragraph's own properties, without those of its mark, a section or a tracked format."""
        paragraph = self.paragraph
        if (
            paragraph.properties is None
            or paragraph.properties.open_end == paragraph.properties.end
        ):
            return ""
        end = (
            paragraph.tail if paragraph.mark is None else min(paragraph.mark.start, paragraph.tail)
        )
        return self._raw(paragraph.properties.open_end, end)

    def _plain_look(self) -> str:
        run = next((run for run in self.written if not run.is_locked), None)
        return _properties(run)

    def _raw(self, start: int, end: int) -> str:
        return self.scanned.slice(start, end).decode()


def _properties(run: Run | None) -> str:
    return "" if run is None or run.is_locked else run.properties.decode()
