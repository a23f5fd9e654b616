"""From an upload to a passage that can be found."""


def test_uploaded_file_becomes_ready_and_is_found(shop):
    document = shop.upload("# Shipping\n\nApples leave the orchard on Monday.\n", "shipping.md")
    shop.run_jobs()
    document = shop.fresh(document)
    assert (document.status, document.error_code) == ("ready", "")
    hit = shop.search("apples monday", mode="lexical").hits[0]
    assert hit.document_id == document.id
    assert "Apples leave the orchard" in hit.text
    assert document.live_version.text[hit.start : hit.end] == hit.text
