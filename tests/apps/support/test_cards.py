"""Which goods stand as cards beside an answer."""

import pytest

from apps.support.facts import cards


@pytest.mark.parametrize("text", ["收到的脐橙坏了3个", "3 of the kiwis I received are rotten"])
def test_who_writes_of_spoiled_goods_is_not_offered_more(text, monkeypatch):
    def catalogue():
        raise AssertionError("looked for goods to show")

    monkeypatch.setattr(cards, "skus_live", catalogue)
    assert cards.cards_of(text, "zh") == []
    with pytest.raises(AssertionError, match="goods to show"):
        cards.cards_of("脐橙多少钱", "zh")
