"""Writes on knowledge bases, inside `tenant_tx`."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.core.errors import Invalid
from furrow.knowledge.models import KnowledgeBase
from furrow.tenants.services import Actor, audit

LANGUAGES = frozenset(code for code, _name in settings.LANGUAGES)
FIELDS = frozenset({"name", "language", "description", "search_settings"})


@transaction.atomic
def knowledge_base_create(
    *, actor: Actor, name: str, language: str = "zh-hans", description: str = ""
) -> KnowledgeBase:
    base = KnowledgeBase(
        name=_checked_name(name),
        language=_checked_language(language),
        description=description.strip()[:400],
        embedding_model=settings.EMBEDDINGS_MODEL,
    )
    base.save()
    audit(actor, "knowledge_base.created", object_type="knowledge_base", object_id=base.id)
    return base


@transaction.atomic
def knowledge_base_update(
    *, actor: Actor, knowledge_base: KnowledgeBase, **fields: Any
) -> KnowledgeBase:
    """Changes name, language, description or search_settings; other fields are refused."""
    if unknown := sorted(set(fields) - FIELDS):
        raise Invalid(_("This cannot be changed."), field=unknown[0])
    if "name" in fields:
        fields["name"] = _checked_name(fields["name"])
    if "language" in fields:
        fields["language"] = _checked_language(fields["language"])
    if "description" in fields:
        fields["description"] = fields["description"].strip()[:400]
    for name, value in fields.items():
        setattr(knowledge_base, name, value)
    knowledge_base.save(update_fields=list(fields))
    audit(
        actor,
        "knowledge_base.updated",
        object_type="knowledge_base",
        object_id=knowledge_base.id,
        fields=sorted(fields),
    )
    return knowledge_base


@transaction.atomic
def knowledge_base_delete(*, actor: Actor, knowledge_base: KnowledgeBase) -> None:
    """Out of sight and out of search at once; `knowledge_base_restore` brings it back whole."""
    knowledge_base.deleted_at = timezone.now()
    knowledge_base.save(update_fields=["deleted_at"])
    audit(
        actor,
        "knowledge_base.deleted",
        object_type="knowledge_base",
        object_id=knowledge_base.id,
    )


@transaction.atomic
def knowledge_base_restore(*, actor: Actor, knowledge_base: KnowledgeBase) -> KnowledgeBase:
    knowledge_base.deleted_at = None
    knowledge_base.save(update_fields=["deleted_at"])
    audit(
        actor,
        "knowledge_base.restored",
        object_type="knowledge_base",
        object_id=knowledge_base.id,
    )
    return knowledge_base


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid(_("The knowledge base needs a name."), field="name")
    if len(name) > 120:
        raise Invalid(_("This name is too long."), field="name")
    return name


def _checked_language(language: str) -> str:
    if language not in LANGUAGES:
        raise Invalid(_("This language is not offered."), field="language")
    return language
