"""Secrets of other services: back as they were, only in their place, only with this installation's secret."""

import pytest

from furrow.core.sealing import SealBroken, seal, unseal


def test_sealed_secret_opens_in_its_place_only(settings):
    sealed = seal({"password": "geheim 密码"}, place="row-1")
    assert "geheim" not in sealed
    assert unseal(sealed, place="row-1") == {"password": "geheim 密码"}
    assert unseal("", place="row-1") == {}
    for broken in (sealed[:-4] + "AAAA", "nonsense"):
        with pytest.raises(SealBroken):
            unseal(broken, place="row-1")
    with pytest.raises(SealBroken):
        unseal(sealed, place="row-2")
    settings.SECRET_KEY = "another secret of the installation"
    with pytest.raises(SealBroken):
        unseal(sealed, place="row-1")
