"""Signed customers, photos, transcripts, cards and unread words over the widget's API."""

import io
import os
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from PIL import Image

from furrow.channels import identity, photos
from furrow.channels.models import Photo, Transcript, WidgetVisitor
from furrow.channels.photos import MOST_BYTES
from furrow.channels.services import widget_identity_set
from furrow.conversations.models import Conversation, Turn
from furrow.conversations.replies import reply_send
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict
from furrow.core.extensions import extensions
from furrow.knowledge.parsing.apart import photo_clean
from furrow.knowledge.storage import file_path
from furrow.tenants.services import SYSTEM
from tests.channels.conftest import Visitor, code_of, run_jobs
from tests.knowledge.parsing.test_apart import telling_photo


def picture(color: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (80, 60), color).save(out, "JPEG")
    return out.getvalue()


def send_photo(visitor: Visitor, data: bytes, key: str = "k1") -> Any:
    return visitor.client.generic(
        "POST",
        "/widget/api/photos",
        data,
        content_type="image/jpeg",
        headers={
            "Origin": visitor.origin,
            "Authorization": f"Bearer {visitor.token}",
            "Idempotency-Key": key,
        },
    )


def signed(shop: Any, customer: str = "c-1", *, lasts_s: int = 600, secret: str = "") -> str:
    return identity.statement(
        secret or identity.identity_secret(shop.widget),
        customer_id=customer,
        name="Li",
        expires_at=int(time.time()) + lasts_s,
    )


def enter(shop: Any, statement: str = "", known_as: str = "") -> Any:
    visitor = Visitor(shop.widget)
    body = {"assistant": shop.widget.public_key, "lang": "zh", "identity": statement}
    response = visitor.call("POST", "sessions", {**body, "visitor": known_as}, token="")
    if response.status_code == 201:
        visitor.token = response.json()["token"]
    return visitor, response


@pytest.fixture
def vouching(shop: Any) -> Any:
    with tenant_tx(shop.tenant.id):
        widget_identity_set(actor=SYSTEM, widget=shop.widget, identity="optional")
    return shop


def visitors(shop: Any) -> list[str]:
    with tenant_tx(shop.tenant.id):
        return list(WidgetVisitor.objects.values_list("customer_id", flat=True))


def test_customer_is_one_visitor_on_every_device_and_keeps_no_token(vouching):
    phone, response = enter(vouching, signed(vouching))
    assert response.json()["customer"] == {"id": "c-1", "name": "Li"}
    assert response.json()["visitor"] == ""
    phone.answered()
    laptop, _ = enter(vouching, signed(vouching))
    assert len(laptop.history()["turns"]) == 1
    assert visitors(vouching) == ["c-1"]


def test_chat_before_signing_in_goes_along_and_its_token_dies(vouching):
    before = Visitor(vouching.widget)
    before.enter()
    before.answered()
    after, _ = enter(vouching, signed(vouching), known_as=before.known_as)
    assert len(after.history()["turns"]) == 1
    stranger, _ = enter(vouching, known_as=before.known_as)
    assert stranger.call("GET", "conversation").status_code == 404


@pytest.mark.parametrize(
    "forged",
    [
        lambda shop: signed(shop, secret="fr_idn_guess"),
        lambda shop: signed(shop, lasts_s=-5),
        lambda shop: signed(shop, lasts_s=30 * 24 * 3600),
        lambda shop: signed(shop)[:-1] + "0",
        lambda shop: "e30." + "0" * 64,
        lambda shop: "nonsense",
        lambda shop: signed(shop, customer=""),
    ],
)
def test_forged_or_old_statements_vouch_for_nobody(vouching, forged):
    visitor, response = enter(vouching, forged(vouching))
    assert (response.status_code, response.json()["customer"]) == (201, None)
    assert visitors(vouching) == [""]
    with tenant_tx(vouching.tenant.id):
        widget_identity_set(actor=SYSTEM, widget=vouching.widget, identity="required")
    assert code_of(enter(vouching, forged(vouching))[1]) == (403, "identity_required")


def test_new_secret_ends_the_old_one_and_another_widget_has_another(vouching, rival):
    old = signed(vouching)
    assert identity.identity_secret(vouching.widget) != identity.identity_secret(rival.widget)
    with tenant_tx(vouching.tenant.id):
        identity.identity_secret_renew(actor=SYSTEM, widget=vouching.widget)
    assert enter(vouching, old)[1].json()["customer"] is None


def test_photo_is_kept_once_sent_with_a_message_and_read_by_its_visitor_only(shop, visitor):
    first = send_photo(visitor, picture())
    assert first.status_code == 201
    assert send_photo(visitor, picture()).json() == first.json()
    photo_id = first.json()["id"]
    sent = visitor.call("POST", "messages", {"text": "", "photos": [photo_id]})
    assert sent.status_code == 202
    (turn,) = visitor.history()["turns"]
    assert (turn["text"], turn["photos"][0]["id"]) == ("（照片）", photo_id)
    shown = visitor.call("GET", f"photos/{photo_id}").content
    with Image.open(io.BytesIO(shown)) as kept:
        assert (kept.size, kept.getpixel((9, 9))[0] > 250) == ((80, 60), True)
    other = Visitor(shop.widget)
    other.enter()
    assert other.call("GET", f"photos/{photo_id}").status_code == 404
    again = visitor.call("POST", "messages", {"text": "x", "photos": [photo_id]})
    assert code_of(again) == (409, "photo_gone")
    with tenant_tx(shop.tenant.id):
        assert Photo.objects.count() == 1
        assert Turn.objects.count() == 1


def test_place_and_camera_stay_with_the_visitor(shop, visitor):
    photo_id = send_photo(visitor, telling_photo("JPEG")).json()["id"]
    with tenant_tx(shop.tenant.id):
        photo = Photo.objects.get(id=photo_id)
    stored = file_path(photo.file_key).read_bytes()
    assert b"SECRET" not in stored
    assert (photo.size_bytes, photo.taken) == (len(stored), "2026:11:20 08:00:00")
    assert not Image.open(io.BytesIO(stored)).getexif()


def test_photo_is_read_outside_any_transaction(visitor, monkeypatch):
    """It takes up to half a minute, and connections and locks are few."""
    depths = []

    def watched(data: bytes) -> Any:
        # The test's own transaction has no savepoint.
        depths.append(len(connection.savepoint_ids))
        return photo_clean(data)

    monkeypatch.setattr(photos, "photo_clean", watched)
    assert send_photo(visitor, picture()).status_code == 201
    assert depths == [0]


def test_photo_goes_with_one_message_of_its_own_conversation(shop, visitor):
    photo_id = send_photo(visitor, picture()).json()["id"]
    first, second = visitor.answered(), visitor.answered()
    other = Visitor(shop.widget)
    other.enter()
    foreign = other.answered()
    with tenant_tx(shop.tenant.id):
        photo = Photo.objects.get(id=photo_id)
        with pytest.raises(Conflict):
            photos.photos_attach(Turn.objects.get(id=foreign), [photo])
        photos.photos_attach(Turn.objects.get(id=first), [photo])
        with pytest.raises(Conflict):
            photos.photos_attach(Turn.objects.get(id=second), [photo])
        assert str(Photo.objects.get().turn_id) == first


def test_photos_never_sent_and_files_without_a_photo_are_thrown_away(shop, visitor):
    ids = [
        send_photo(visitor, picture(color), color).json()["id"] for color in ("red", "blue", "gold")
    ]
    visitor.call("POST", "messages", {"text": "", "photos": ids[:1]})
    with tenant_tx(shop.tenant.id):
        kept, unsent, lost = (Photo.objects.get(id=each) for each in ids)
        Photo.objects.exclude(id=lost.id).update(created_at=timezone.now() - timedelta(days=2))
        # As when a conversation goes, with all that hangs on it.
        lost.delete()
    for photo in (kept, unsent, lost):
        os.utime(file_path(photo.file_key), (0, 0))
    assert photos.photos_purge() == 1
    assert [file_path(photo.file_key).is_file() for photo in (kept, unsent, lost)] == [
        True,
        False,
        False,
    ]


def test_what_is_no_photo_or_too_large_keeps_nothing(shop, visitor):
    assert code_of(send_photo(visitor, b"<svg onload=alert(1)>", "a")) == (422, "not_a_photo")
    assert code_of(send_photo(visitor, b"x" * (MOST_BYTES + 1), "b")) == (413, "photo_too_large")
    with tenant_tx(shop.tenant.id):
        assert not Photo.objects.exists()


@pytest.mark.parametrize("named", ["p", [5], ["no-id"], [None]])
def test_malformed_photo_lists_are_refused(visitor, named):
    response = visitor.call("POST", "messages", {"text": "x", "photos": named})
    assert response.status_code in {409, 422}


def test_transcript_is_mailed_once_and_its_address_forgotten(shop, visitor, settings):
    visitor.answered("你们周末营业吗？")
    assert code_of(visitor.call("POST", "transcript", {"email": "no"})) == (422, "address_invalid")
    asked = visitor.call("POST", "transcript", {"email": "li@example.org"}, Idempotency_Key="t")
    assert asked.status_code == 202
    visitor.call("POST", "transcript", {"email": "li@example.org"}, Idempotency_Key="t")
    run_jobs("notify")
    (sent,) = [each for each in mail.outbox if each.to == ["li@example.org"]]
    assert "你们周末营业吗？" in sent.body
    assert "周末照常营业。" in sent.body
    with tenant_tx(shop.tenant.id):
        assert Transcript.objects.get().address == ""


def test_transcripts_are_few(visitor):
    visitor.answered()
    codes = [
        visitor.call("POST", "transcript", {"email": f"a{n}@example.org"}).status_code
        for n in range(7)
    ]
    assert codes == [202] * 5 + [429] * 2


def test_unread_words_are_told_to_their_visitor_only(shop, visitor, cast):
    visitor.answered()
    body = {"assistant": shop.widget.public_key, "visitor": visitor.known_as}

    def look(**changes: Any) -> Any:
        return visitor.call("POST", "unread", {**body, **changes}, token="").json()

    assert look()["unread"] == 0
    with tenant_tx(shop.tenant.id):
        conversation = Conversation.objects.get()
        reply_send(user=cast.owner, conversation=conversation, text="您好，我来处理。")
    assert look() | {"name": ""} == {
        "unread": 1,
        "name": "",
        "text": "您好，我来处理。",
        "watch": True,
    }
    assert look(seen={"conversation": str(conversation.id), "number": 1})["unread"] == 0
    assert look(seen={"conversation": str(conversation.id), "number": "x"})["unread"] == 1
    assert look(visitor="somebody-else")["unread"] == 0
    visitor.origin = "https://other.example"
    assert visitor.call("POST", "unread", body, token="").status_code == 403


def test_cards_stand_beside_answers_from_rows_only(shop, visitor, monkeypatch):
    told = [{"title": f"Orange {n}"} for n in range(5)]
    monkeypatch.setitem(extensions.cards, "test", lambda text, language: told)
    turn_id = visitor.answered()
    assert visitor.call("GET", f"turns/{turn_id}/cards").json() == {"cards": []}
    with tenant_tx(shop.tenant.id):
        Turn.objects.update(rung="fact")
    monkeypatch.setattr(extensions, "cards", {"test": lambda text, language: told})
    assert len(visitor.call("GET", f"turns/{turn_id}/cards").json()["cards"]) == 3
    other = Visitor(shop.widget)
    other.enter()
    assert other.call("GET", f"turns/{turn_id}/cards").status_code == 404
