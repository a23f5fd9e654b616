"""Loads the demo businesses of `furrow.ops.demo` through the ordinary services. Loading twice adds nothing."""

from pathlib import Path

from django.conf import settings

from furrow.accounts.models import User
from furrow.accounts.services import user_ensure
from furrow.assistants.models import Assistant
from furrow.assistants.services import (
    approved_answer_create,
    assistant_create,
    assistant_publish,
)
from furrow.channels.services import widget_ensure, widget_update
from furrow.core.context import tenant_tx, unscoped
from furrow.core.extensions import extensions
from furrow.knowledge.models import Document, KnowledgeBase
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.documents import document_upload
from furrow.ops.demo import manifest
from furrow.ops.demo_site import KEY_FILE
from furrow.tenants.models import Membership, Role, Tenant
from furrow.tenants.selectors import tenant_by_slug
from furrow.tenants.services import SYSTEM, tenant_create

DEMO_OWNER = "owner@demo.furrow.test"
_TEMPLATES = {"orchard": "shop", "lawoffice": "office"}


def demo_owner() -> User:
    """The person who owns both demo businesses and operates this installation."""
    user = user_ensure(email=DEMO_OWNER, name="Demo", is_verified=True)
    if not user.is_operator:
        user.is_operator = True
        user.save(update_fields=["is_operator"])
    return user


def demo_load(*, demo_site_origin: str) -> None:
    owner = demo_owner()
    for plan in manifest.TENANTS:
        tenant = tenant_by_slug(plan.slug)
        if tenant is None:
            tenant = tenant_create(
                name=plan.name_zh, owner=owner, slug=plan.slug, language=plan.locale
            )
        with tenant_tx(tenant.id):
            _load_tenant(tenant, plan, owner, demo_site_origin)
    for load in extensions.demo_loaders.values():
        load()


def _load_tenant(
    tenant: Tenant, plan: manifest.DemoTenant, owner: User, demo_site_origin: str
) -> None:
    Membership.objects.get_or_create(user=owner, defaults={"role": Role.OWNER})
    bases = {
        base.slug: KnowledgeBase.objects.filter(name=base.name).first()
        or knowledge_base_create(
            actor=SYSTEM, name=base.name, language="en" if base.language == "en" else "zh-hans"
        )
        for base in plan.knowledge_bases
    }
    for file in plan.files:
        _load_file(bases[file.knowledge_base], file)
    for assistant in plan.assistants:
        _load_assistant(plan, assistant, bases, demo_site_origin)


def _load_file(base: KnowledgeBase, file: manifest.DemoFile) -> None:
    external_id = f"demo:{file.name}"
    if Document.objects.filter(knowledge_base=base, external_id=external_id).exists():
        return
    with file.path.open("rb") as handle:
        document_upload(
            actor=SYSTEM,
            knowledge_base=base,
            file=handle,
            file_name=file.path.name,
            title=file.title,
            external_id=external_id,
        )


def _load_assistant(
    plan: manifest.DemoTenant,
    wanted: manifest.Assistant,
    bases: dict[str, KnowledgeBase],
    demo_site_origin: str,
) -> None:
    assistant = Assistant.objects.filter(name=wanted.name).first()
    if assistant is None:
        assistant = assistant_create(
            actor=SYSTEM,
            name=wanted.name,
            template=_TEMPLATES.get(plan.slug, "general"),
            knowledge_base_ids=[bases[slug].id for slug in wanted.knowledge_bases],
            instructions=wanted.instructions,
            settings={
                "greeting": {"zh": wanted.greeting_zh, "en": wanted.greeting_en},
                "suggestions": {
                    "zh": list(wanted.suggestions_zh),
                    "en": list(wanted.suggestions_en),
                },
            },
        )
        for answer in plan.approved:
            approved_answer_create(
                actor=SYSTEM,
                assistant=assistant,
                question=answer.question,
                variants=list(answer.variants),
                answer=answer.answer,
            )
        assistant_publish(actor=SYSTEM, assistant=assistant, note="demo")
    widget = widget_ensure(assistant=assistant)
    if demo_site_origin not in widget.allowed_origins:
        widget_update(
            actor=SYSTEM,
            widget=widget,
            allowed_origins=[*widget.allowed_origins, demo_site_origin],
        )
    if plan.slug == "orchard":
        Path(settings.VAR_DIR / KEY_FILE).write_text(widget.public_key)


def demo_progress() -> tuple[int, int]:
    """(read, all) over the documents of the demo tenants; failed ones count as read."""
    slugs = [plan.slug for plan in manifest.TENANTS]
    with unscoped("count the demo's documents"):
        states = list(
            Document.objects.filter(
                tenant__slug__in=slugs, external_id__startswith="demo:", deleted_at=None
            ).values_list("status", flat=True)
        )
    return sum(state in {"ready", "failed"} for state in states), len(states)
