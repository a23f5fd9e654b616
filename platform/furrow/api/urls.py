from django.urls import path

from furrow.api.root import api, docs_page, mount_extensions

mount_extensions()

urlpatterns = [
    path("docs", docs_page, name="api-docs"),
    path("", api.urls),
]
