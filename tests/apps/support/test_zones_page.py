"""The shipping page with a row of every kind."""

import pytest

from furrow.core.context import tenant_tx
from tests.apps.support.seed import seed


@pytest.mark.parametrize(
    ("code", "said"), [("zh", "12/15–2/15"), ("en", "nothing is sent 12/15–2/15")]
)
def test_pauses_stand_on_the_page(cast, client, code, said):
    with tenant_tx(cast.tenant.id):
        seed(code)
    client.force_login(cast.owner)
    client.cookies["django_language"] = {"zh": "zh-hans", "en": "en"}[code]
    response = client.get(f"/t/{cast.tenant.slug}/support/zones/")
    assert response.status_code == 200
    assert said in response.content.decode()
