"""Pictures that customers sent, for the people who answer them."""

from uuid import UUID

from django.http import HttpResponse

from furrow.channels.photos import photo_get
from furrow.dashboard.doors import needs
from furrow.knowledge.storage import file_path
from furrow.tenants.web import TenantRequest


@needs(get="view")
def photo(request: TenantRequest, photo_id: UUID) -> HttpResponse:
    found = photo_get(photo_id)
    data = file_path(found.file_key).read_bytes()
    response = HttpResponse(data, content_type=found.content_type)
    response["Cache-Control"] = "private, max-age=3600"
    return response
