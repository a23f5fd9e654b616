"""The model writes, the verifier reads along: a sentence is sent when it is verified, and never before."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import LadderContext, Question
from furrow.assistants.quotes import Picked
from furrow.assistants.rungs.composed_checking import SecondLook
from furrow.assistants.rungs.composed_prompt import Message
from furrow.assistants.rungs.composed_reading import Read
from furrow.assistants.verifier.answer import Checked, Checker
from furrow.assistants.verifier.plain import is_list_item
from furrow.assistants.verifier.stream import Draft, SentenceStream
from furrow.gateway.writing import Writer

# So many sentences kept back with none that leaves: what follows is hardly better, and costs.
HOPELESS = 4
# At least this part of what the model claimed must be supported for its answer to stand.
LEAST_SHARE = 0.5
MOST_KEPT_BACK, THOUGHTS_LENGTH = 12, 4000


@dataclass
class Written:
    """What became of an answer. `quotes` are the places that support it, in the order of their numbers."""

    language: str
    text: str = ""
    quotes: list[Picked] = field(default_factory=list)
    kept: int = 0
    dropped: list[Checked] = field(default_factory=list)
    thoughts: str = ""
    says_unknown: bool = False
    is_hopeless: bool = False

    @property
    def failure(self) -> str:
        """Why it may not stand; empty when it may."""
        if not self.kept:
            return "model_unknown" if self.says_unknown else "not_supported"
        share = self.kept / (self.kept + len(self.dropped))
        return "" if share >= LEAST_SHARE else "not_supported"

    def notes(self) -> dict[str, Any]:
        """For the trace: figures, and for staff alone what was kept back and what the model thought."""
        noted: dict[str, Any] = {"kept": self.kept, "dropped": len(self.dropped)}
        if self.dropped:
            noted["kept_back"] = [
                {
                    "text": checked.text[:400],
                    "reason": checked.reason,
                    "detail": checked.detail[:80],
                }
                for checked in self.dropped[:MOST_KEPT_BACK]
            ]
        if self.thoughts:
            noted["thoughts"] = self.thoughts[:THOUGHTS_LENGTH]
        return noted

    def add(self, checked: Checked, read: Read) -> str:
        """Takes a verified sentence in; returns it as it is sent, with the number of its citation."""
        piece = checked.text
        if checked.passage:
            self.kept += 1
            piece = f"{piece} [{self._number(checked, read)}]"
        piece = f"{self._joint(checked)}{piece}"
        self.text += piece
        return piece

    def _number(self, checked: Checked, read: Read) -> int:
        hit = read.hits[checked.passage - 1]
        quote = Picked(hit, hit.start + checked.start, hit.start + checked.end, checked.share)
        for n, known in enumerate(self.quotes, start=1):
            if (known.hit.chunk_id, known.start) == (hit.chunk_id, quote.start):
                return n
        self.quotes.append(quote)
        return len(self.quotes)

    def _joint(self, checked: Checked) -> str:
        if is_list_item(checked.raw):
            return "\n• " if self.text else "• "
        if not self.text:
            return ""
        return "" if self.language == "zh" else " "


def write(
    messages: Sequence[Message],
    question: Question,
    config: AssistantConfig,
    read: Read,
    writer: Writer,
    ctx: LadderContext,
) -> Written:
    """Stops the model as soon as it says that it does not know, or says nothing that can be supported."""
    written = Written(question.language)
    checker = Checker(read.passages)
    second_look = SecondLook(question, config, writer.manner.model)
    with closing(_drafts(messages, writer, written)) as drafts:
        for draft in drafts:
            checked = second_look.at(checker, draft)
            if checked.reason == "empty":
                continue
            if checked.reason == "says_unknown":
                written.says_unknown = True
                if not written.kept:
                    break
            if not checked.is_kept:
                written.dropped.append(checked)
            elif checked.passage or not written.text:
                ctx.delta(written.add(checked, read))
            if not written.kept and len(written.dropped) >= HOPELESS:
                written.is_hopeless = True
                break
    return written


def _drafts(
    messages: Sequence[Message], writer: Writer, written: Written
) -> Generator[Draft, None, None]:
    stream = SentenceStream()
    with closing(writer.write(messages)) as pieces:
        for piece in pieces:
            written.thoughts += piece.thought
            yield from stream.feed(piece.text)
    rest = stream.rest()
    # What a limit cut off in the middle says half of something.
    yield from rest[:-1] if writer.usage.is_cut else rest
