"""The builder: a rebuild gives the committed files, whenever it runs."""

import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from furrow.ops.demo import printed
from furrow.ops.demo.build import CREATED, build
from furrow.ops.demo.manifest import TENANTS
from furrow.ops.demo.printed import BrowserMissing, Layout, write_pdf
from furrow.ops.demo.sheet import write_xlsx
from furrow.ops.demo.sources import FILES, filled
from furrow.ops.demo.stable import stabilise


def test_unknown_placeholder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FILES.parent / "sources", tmp_path / "sources")
    (tmp_path / "sources" / "orchard" / "odd.md").write_text("{{no_such_fact}}", encoding="utf-8")
    monkeypatch.setattr("furrow.ops.demo.sources.SOURCES", tmp_path / "sources")
    with pytest.raises(KeyError, match="no_such_fact"):
        filled("orchard", "odd.md")


def test_office_file_carries_only_the_given_moment(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    write_xlsx(path, title="list", created=CREATED)
    moment = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    stabilise(path, moment)
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2001, 2, 3, 4, 5, 6)}
        assert b"2001-02-03T04:05:06Z</dcterms:modified>" in archive.read("docProps/core.xml")


def test_missing_browser_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "_BROWSERS", ("no-such-browser",))
    with pytest.raises(BrowserMissing, match="no-such-browser"):
        write_pdf("# x", tmp_path / "x.pdf", title="x", layout=Layout("en", "x", "x"))


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, printed._BROWSERS)), reason="printing needs Chromium")
def test_rebuild_writes_every_file_of_the_manifest(tmp_path: Path, reader: Any) -> None:
    written = {path.relative_to(tmp_path) for path in build(tmp_path)}
    assert written == {file.path.relative_to(FILES) for tenant in TENANTS for file in tenant.files}
    # Another Chromium may break lines and pages elsewhere, so prints are only weighed.
    for name in written:
        if name.suffix in (".pdf", ".jpg"):
            assert (tmp_path / name).stat().st_size > 50_000
        else:
            assert reader.text(tmp_path / name) == reader.text(FILES / name)
