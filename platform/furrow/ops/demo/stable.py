"""Takes the clock out of written files, so that a rebuild changes only what really changed."""

import re
import zipfile
from datetime import datetime
from pathlib import Path


def stabilise(path: Path, moment: datetime) -> None:
    """Set the dates inside a DOCX, XLSX or PDF to ``moment``; other files are left alone."""
    if path.suffix in (".docx", ".xlsx"):
        _stabilise_office(path, moment)
    elif path.suffix == ".pdf":
        _stabilise_pdf(path, moment)


def _stabilise_office(path: Path, moment: datetime) -> None:
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            if name == "docProps/core.xml":
                # openpyxl stamps the moment of saving whatever the properties say.
                stamp = f"{moment:%Y-%m-%dT%H:%M:%SZ}".encode()
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def _stabilise_pdf(path: Path, moment: datetime) -> None:
    # Only the fourteen digits are replaced: the file's offsets must not move.
    stamp = f"{moment:%Y%m%d%H%M%S}".encode()
    content = path.read_bytes()
    path.write_bytes(re.sub(rb"(Date \(D:)\d{14}", rb"\g<1>" + stamp, content))
