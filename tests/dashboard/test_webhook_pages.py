"""The page of addresses that messages are sent to."""

import pytest

from furrow.channels.models import WebhookDelivery, WebhookEndpoint
from furrow.channels.webhooks import secret_of
from furrow.core.context import tenant_tx


def test_secret_is_shown_once(english, cast, page):
    made = english.post(
        page("webhook_create"), {"url": "https://a.example/x", "events": ["invoice.closed"]}
    )
    with tenant_tx(cast.tenant.id):
        endpoint = WebhookEndpoint.objects.get()
        secret = secret_of(endpoint)
    assert secret in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    assert secret not in english.get(page("webhooks")).content.decode()
    renewed = english.post(page("webhook_secret", endpoint.id)).content.decode()
    assert secret not in renewed
    with tenant_tx(cast.tenant.id):
        assert secret_of(WebhookEndpoint.objects.get()) in renewed


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "https://10.1.2.3/hook", "file:///etc/passwd"]
)
def test_private_address_comes_back_with_a_sentence(english, page, url):
    response = english.post(page("webhook_create"), {"url": url, "events": ["invoice.closed"]})
    assert response.status_code == 200
    assert response.context["form"].errors


def test_address_is_changed_tested_removed_and_brought_back(english, cast, shop, page):
    data = {"url": "https://b.example/", "events": ["budget.threshold"], "is_enabled": "on"}
    english.post(page("webhook_update", shop.webhook.id), data)
    english.post(page("webhook_test", shop.webhook.id))
    with tenant_tx(cast.tenant.id):
        assert WebhookDelivery.objects.filter(event="ping").count() == 2
    english.post(page("webhook_delete", shop.webhook.id))
    assert "https://b.example/" not in english.get(page("webhook_create")).content.decode()
    assert english.post(page("webhook_test", shop.webhook.id)).status_code == 404
    english.post(page("webhook_restore", shop.webhook.id))
    assert "https://b.example/" in english.get(page("webhooks")).content.decode()


def test_log_says_why_and_offers_to_send_again(english, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        WebhookDelivery.objects.update(state="failed", error_code="refused", last_status=500)
    text = english.get(page("webhooks")).content.decode()
    assert "The program there did not accept the message." in text
    assert "(500)" in text
    english.post(page("delivery_resend", shop.delivery.id))
    with tenant_tx(cast.tenant.id):
        assert WebhookDelivery.objects.get().state == "waiting"


@pytest.mark.parametrize(("backend", "is_told"), [("filebased", True), ("smtp", False)])
def test_page_says_when_no_mail_leaves_the_server(english, page, settings, backend, is_told):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    text = english.get(page("webhooks")).content.decode()
    assert ("This server sends no mail" in text) == is_told
