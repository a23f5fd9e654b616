"""A second look at sentences the rules are unsure of: by their meaning, or by one cheap question to the model."""

import re

import numpy as np
from django.conf import settings

from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import Question
from furrow.assistants.language import language_of
from furrow.assistants.rungs.composed_prompt import check_messages
from furrow.assistants.verifier.answer import Checked, Checker
from furrow.assistants.verifier.stream import Draft
from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.gateway.embeddings import embed_texts
from furrow.gateway.writing import Manner, Writer

# Below it a sentence that the rules let pass has more words of its own than the passage's.
SURE_SHARE = 0.8
# Sentences of two languages that say the same lie this close with models that know both.
SAME_MEANING = 0.7
_CHECK_TOKENS = 8
_YES = re.compile(r"\s*(?:是|对|支持|yes\b)", re.I)


class SecondLook:
    """The model is asked only where the assistant's settings say so; each question is metered like an answer."""

    def __init__(self, question: Question, config: AssistantConfig, model: str | None) -> None:
        self._language = question.language
        self._asks_model = config.composed.model_check
        self._model = model

    def at(self, checker: Checker, draft: Draft) -> Checked:
        checked = checker.check(draft)
        if checked.is_kept:
            if checked.claims_nothing or checked.share >= SURE_SHARE or not self._asks_model:
                return checked
            passage = checker.passage_text(checked.passage)
            return checked if self._model_agrees(checked.text, passage) else _refused(checked)
        if checked.reason != "words_not_in_passage":
            return checked
        return self._in_another_language(checker, draft, checked)

    def _in_another_language(self, checker: Checker, draft: Draft, checked: Checked) -> Checked:
        """Words prove nothing across languages; figures, names, negations and promises still do."""
        for n in draft.cites:
            passage = checker.passage_text(n)
            if not passage or language_of(passage) == language_of(draft.text):
                continue
            settled = checker.check_without_words(draft, n)
            if settled.is_kept and self._means_the_same(settled, passage):
                return settled
        return checked

    def _means_the_same(self, checked: Checked, passage: str) -> bool:
        if self._asks_model:
            return self._model_agrees(checked.text, passage)
        if not {"*"} & set(settings.EMBEDDINGS_LANGUAGES) and not {"zh", "en"} <= set(
            settings.EMBEDDINGS_LANGUAGES
        ):
            return False
        try:
            ours, theirs = map(
                np.asarray, embed_texts([checked.text, passage[checked.start : checked.end]])
            )
        except (LimitReached, UpstreamFailed):
            return False
        norm = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
        return norm > 0 and float(ours @ theirs) / norm >= SAME_MEANING

    def _model_agrees(self, sentence: str, passage: str) -> bool:
        """A model that cannot be asked has not agreed."""
        writer = Writer(Manner(max_tokens=_CHECK_TOKENS, model=self._model, thinking=False))
        try:
            said = writer.whole(check_messages(sentence, passage, self._language))
        except (LimitReached, UpstreamFailed):
            return False
        return bool(_YES.match(said))


def _refused(checked: Checked) -> Checked:
    return Checked(checked.text, checked.raw, "model_says_no", share=checked.share)
