"""Writes on assistants and what they publish. All run inside `tenant_tx`; see answers.py for what they say."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.assistants.answers import (
    approved_answer_create,
    approved_answer_delete,
    approved_answer_update,
)
from furrow.assistants.config import draft_json, settings_check
from furrow.assistants.gaps import gap_answer, gap_dismiss, gap_record, gap_reopen
from furrow.assistants.models import (
    DEFAULT_RUNGS,
    Assistant,
    AssistantKnowledgeBase,
    AssistantVersion,
)
from furrow.assistants.templates import template_get
from furrow.assistants.wordings import gap_join, wordings_add
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.knowledge.models import KnowledgeBase
from furrow.tenants.services import Actor, audit

__all__ = [
    "approved_answer_create",
    "approved_answer_delete",
    "approved_answer_update",
    "assistant_create",
    "assistant_delete",
    "assistant_publish",
    "assistant_restore",
    "assistant_roll_back",
    "assistant_update",
    "gap_answer",
    "gap_dismiss",
    "gap_join",
    "gap_record",
    "gap_reopen",
    "wordings_add",
]

NAME_LENGTH = 120
INSTRUCTIONS_LENGTH = 8000
_MAX_RUNGS = 20


@transaction.atomic
def assistant_create(
    *,
    actor: Actor,
    name: str,
    template: str = "general",
    knowledge_base_ids: Iterable[UUID] = (),
    instructions: str = "",
    rungs: list[str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Assistant:
    """A draft, not yet published. What is not given comes from the template."""
    known = template_get(template)
    if known is None:
        raise Invalid(_("This template does not exist."), field="template")
    assistant: Assistant = Assistant.objects.create(
        name=_name_checked(name),
        template=template,
        instructions=_instructions_checked(instructions or known.instructions),
        rungs=_rungs_checked(rungs or list(known.rungs) or DEFAULT_RUNGS),
        settings=settings_check(dict(settings or {})),
    )
    _bases_set(assistant, knowledge_base_ids)
    audit(actor, "assistant.created", object_type="assistant", object_id=assistant.id)
    return assistant


@transaction.atomic
def assistant_update(
    *,
    actor: Actor,
    assistant: Assistant,
    name: str | None = None,
    knowledge_base_ids: Iterable[UUID] | None = None,
    instructions: str | None = None,
    rungs: list[str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Assistant:
    """Changes the draft; visitors see it after the next publication. `settings` replaces the whole object."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = _name_checked(name)
    if instructions is not None:
        changes["instructions"] = _instructions_checked(instructions)
    if rungs is not None:
        changes["rungs"] = _rungs_checked(rungs)
    if settings is not None:
        changes["settings"] = settings_check(dict(settings))
    for field, value in changes.items():
        setattr(assistant, field, value)
    assistant.save(update_fields=[*changes, "updated_at"])
    fields = sorted(changes)
    if knowledge_base_ids is not None:
        _bases_set(assistant, knowledge_base_ids)
        fields.append("knowledge_base_ids")
    audit(
        actor,
        "assistant.updated",
        object_type="assistant",
        object_id=assistant.id,
        fields=fields,
    )
    return assistant


@transaction.atomic
def assistant_delete(*, actor: Actor, assistant: Assistant) -> None:
    """Takes the assistant out of sight and out of service; `assistant_restore` brings it back."""
    _deleted_set(assistant, is_deleted=True)
    audit(actor, "assistant.deleted", object_type="assistant", object_id=assistant.id)


@transaction.atomic
def assistant_restore(*, actor: Actor, assistant: Assistant) -> Assistant:
    _deleted_set(assistant, is_deleted=False)
    audit(actor, "assistant.restored", object_type="assistant", object_id=assistant.id)
    return assistant


@transaction.atomic
def assistant_publish(*, actor: Actor, assistant: Assistant, note: str = "") -> AssistantVersion:
    """Freezes the draft as the next version at once. Doors for people and programs use
    `evaluation.gate.publication_request`, which asks the golden questions first.
    """
    locked = assistant_lock(assistant)
    return version_add(
        actor, assistant, config=draft_json(locked), note=note, action="assistant.published"
    )


@transaction.atomic
def assistant_roll_back(
    *, actor: Actor, assistant: Assistant, version: AssistantVersion
) -> AssistantVersion:
    """Publishes an old version's configuration as a new version. The draft stays as it is."""
    assistant_lock(assistant)
    if version.assistant_id != assistant.id:
        raise NotFound(_("This version belongs to another assistant."))
    return version_add(
        actor,
        assistant,
        config=version.config,
        note=_("Back to version %(number)s") % {"number": version.number},
        action="assistant.rolled_back",
    )


def version_add(
    actor: Actor,
    assistant: Assistant,
    *,
    config: dict[str, Any],
    note: str,
    action: str,
    **why: Any,
) -> AssistantVersion:
    """The next version, served from the next message on; under the lock of `assistant_lock`."""
    last = assistant.versions.aggregate(last=Max("number"))["last"] or 0
    version: AssistantVersion = AssistantVersion.objects.create(
        assistant=assistant,
        number=last + 1,
        config=config,
        note=note.strip()[:300],
        published_by_id=actor.id if actor.kind == "user" else None,
    )
    assistant.published = version
    assistant.save(update_fields=["published", "updated_at"])
    audit(
        actor,
        action,
        object_type="assistant",
        object_id=assistant.id,
        version=version.number,
        **why,
    )
    return version


def assistant_lock(assistant: Assistant) -> Assistant:
    """The row as it is now, locked so that version numbers follow each other."""
    row: Assistant | None = (
        Assistant.objects.select_for_update(no_key=True)
        .filter(id=assistant.id, deleted_at=None)
        .first()
    )
    if row is None:
        raise NotFound(_("This assistant does not exist."))
    return row


def _deleted_set(assistant: Assistant, *, is_deleted: bool) -> None:
    changed = Assistant.objects.filter(id=assistant.id, deleted_at__isnull=is_deleted).update(
        deleted_at=timezone.now() if is_deleted else None
    )
    if not changed:
        raise Conflict(_("This was done already."))
    assistant.refresh_from_db(fields=["deleted_at"])


def _bases_set(assistant: Assistant, knowledge_base_ids: Iterable[UUID]) -> None:
    wanted = list(dict.fromkeys(knowledge_base_ids))
    found = set(
        KnowledgeBase.objects.filter(id__in=wanted, deleted_at=None).values_list("id", flat=True)
    )
    if missing := [str(base_id) for base_id in wanted if base_id not in found]:
        raise Invalid(
            _("A chosen knowledge base does not exist."),
            field="knowledge_base_ids",
            missing=missing,
        )
    links = AssistantKnowledgeBase.objects.filter(assistant=assistant)
    links.exclude(knowledge_base_id__in=wanted).delete()
    present = set(links.values_list("knowledge_base_id", flat=True))
    for base_id in wanted:
        if base_id not in present:
            AssistantKnowledgeBase.objects.create(assistant=assistant, knowledge_base_id=base_id)


def _name_checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LENGTH:
        raise Invalid(
            _("The assistant needs a name of up to %(count)s characters.") % {"count": NAME_LENGTH},
            field="name",
        )
    return name


def _instructions_checked(text: str) -> str:
    if len(text) > INSTRUCTIONS_LENGTH:
        raise Invalid(
            _("Instructions may have up to %(count)s characters.") % {"count": INSTRUCTIONS_LENGTH},
            field="instructions",
        )
    return text


def _rungs_checked(rungs: list[str]) -> list[str]:
    """Names of rungs that are not installed are kept: the trade app may come later."""
    fits = all(isinstance(name, str) and name.isidentifier() and len(name) <= 40 for name in rungs)
    if not fits or len(rungs) > _MAX_RUNGS or len(set(rungs)) != len(rungs):
        raise Invalid(_("Rungs are a list of different rung names."), field="rungs")
    return list(rungs)
