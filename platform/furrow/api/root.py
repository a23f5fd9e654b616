"""The REST API object: core routers, then whatever trade apps registered."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string
from ninja import NinjaAPI

from furrow.api import errors
from furrow.api.auth import ApiKeyAuth
from furrow.api.routers import (
    assistants,
    conversations,
    evaluation,
    inbox,
    knowledge,
    metering,
    upkeep,
)
from furrow.core.extensions import extensions

api = NinjaAPI(
    title="Furrow",
    version="1",
    description="Assistants over your own documents, with citations.",
    auth=ApiKeyAuth(),
    docs_url=None,
    urls_namespace="api",
)
errors.install(api)
api.add_router("", knowledge.router)
api.add_router("", upkeep.router)
api.add_router("", assistants.router)
api.add_router("", evaluation.router)
api.add_router("", conversations.router)
api.add_router("", inbox.router)
api.add_router("", metering.router)


def mount_extensions() -> None:
    """Mounts the routers of trade apps under `/api/v1/<app>/`. Called once, when the URLs are built."""
    for prefix, router in sorted(extensions.api_routers.items()):
        api.add_router(f"/{prefix}", import_string(router))


def docs_page(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document as a page, without scripts."""
    schema = api.get_openapi_schema()
    operations: dict[str, list[dict[str, str]]] = {}
    for path, methods in schema["paths"].items():
        for method, described in methods.items():
            for tag in described.get("tags", ["other"]):
                operations.setdefault(tag, []).append(
                    {
                        "method": method.upper(),
                        "path": path,
                        "summary": described.get("summary", ""),
                        "description": described.get("description", ""),
                    }
                )
    return render(request, "api/docs.html", {"groups": operations, "info": schema["info"]})
