"""Writes on the business's own synonyms, inside `tenant_tx`."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from furrow.core.errors import Invalid, LimitReached, NotFound
from furrow.knowledge.models import SynonymGroup
from furrow.knowledge.text.folding import fold
from furrow.tenants.services import Actor, audit

MAX_GROUPS = 500
MAX_WORDS = 20
MAX_WORD = 60


@transaction.atomic
def synonym_group_save(
    *, actor: Actor, words: Iterable[str], group: SynonymGroup | None = None
) -> SynonymGroup:
    """A new group, or `group` with other words. Searches follow at once."""
    checked = _checked(words)
    is_new = group is None
    if group is None:
        if SynonymGroup.objects.count() >= MAX_GROUPS:
            raise LimitReached(
                _("There are already %(count)d groups of synonyms.") % {"count": MAX_GROUPS}
            )
        group = SynonymGroup()
    group.words = checked
    group.save()
    action = "synonyms.created" if is_new else "synonyms.updated"
    audit(actor, action, object_type="synonyms", object_id=group.id, words=checked)
    return group


@transaction.atomic
def synonym_group_delete(*, actor: Actor, group: SynonymGroup) -> list[str]:
    """The words of the group that is gone, for bringing it back."""
    words, group_id = list(group.words), group.id
    group.delete()
    audit(actor, "synonyms.deleted", object_type="synonyms", object_id=group_id, words=words)
    return words


def synonym_group_get(group_id: UUID) -> SynonymGroup:
    group = SynonymGroup.objects.filter(id=group_id).first()
    if group is None:
        raise NotFound(_("This group of synonyms does not exist."))
    return group  # type: ignore[no-any-return]


def _checked(words: Iterable[str]) -> list[str]:
    plain = [" ".join(word.split()) for word in words]
    distinct = list({fold(word): word for word in plain if word}.values())
    if len(distinct) < 2:
        raise Invalid(_("Give at least two different words that mean the same."), field="words")
    if len(distinct) > MAX_WORDS or any(len(word) > MAX_WORD for word in distinct):
        raise Invalid(
            _("A group has at most %(words)d words of at most %(length)d characters.")
            % {"words": MAX_WORDS, "length": MAX_WORD},
            field="words",
        )
    return distinct
