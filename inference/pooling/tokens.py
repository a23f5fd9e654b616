"""Text to token ids with the model's own tokenizer, truncated and counted as served."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

TokenIds = list[int]


@dataclass(frozen=True, slots=True)
class Tokenised:
    """One id list per text, special tokens included; `truncated` counts texts cut short."""

    ids: list[TokenIds]
    truncated: int


class TextTokenizer:
    """Safe to call from several threads: nothing changes after construction."""

    def __init__(self, backend: Tokenizer, *, max_length: int, lower_case: bool) -> None:
        backend.no_padding()
        backend.enable_truncation(max_length=max_length)
        self._backend = backend
        self._lower_case = lower_case
        self.max_length = max_length
        self.vocabulary = backend.get_vocab_size(with_added_tokens=True)

    def texts(self, texts: Sequence[str]) -> Tokenised:
        prepared = [text.lower() for text in texts] if self._lower_case else list(texts)
        return self._encoded(prepared)

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> Tokenised:
        """One id list a pair, as a cross-encoder reads it."""
        if self._lower_case:
            pairs = [(first.lower(), second.lower()) for first, second in pairs]
        return self._encoded(list(pairs))

    def _encoded(self, inputs: list[str] | list[tuple[str, str]]) -> Tokenised:
        encodings = self._backend.encode_batch(inputs)
        return Tokenised(
            ids=[encoding.ids for encoding in encodings],
            truncated=sum(bool(encoding.overflowing) for encoding in encodings),
        )

    def given(self, inputs: Sequence[TokenIds]) -> Tokenised:
        """Ids that the client made itself: used as they are, cut at the same length."""
        return Tokenised(
            ids=[ids[: self.max_length] for ids in inputs],
            truncated=sum(len(ids) > self.max_length for ids in inputs),
        )
