"""Uploaded files on disk, under names that carry the tenant and nothing their owner typed."""

import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from furrow.core.context import current_tenant_id
from furrow.core.errors import AppError, Invalid, TooLarge
from furrow.core.keys import file_key

FOLDER = "documents"
_PIECE = 256 * 1024
_GRACE_S = 24 * 3600


class StorageFull(AppError):
    """No room for the file; nothing of it was kept."""

    status, code = 507, "storage_full"


@dataclass(frozen=True)
class StoredFile:
    key: str
    size_bytes: int
    sha256: str


def file_save(file: BinaryIO, file_id: UUID, *, folder: str = FOLDER) -> StoredFile:
    """Writes the whole stream or nothing: the file appears under its name only when it is safe on disk. A trade has
    a folder of its own, for files of this one that no document points to are thrown away.
    """
    key = file_key(current_tenant_id(), folder, file_id)
    path = file_path(key)
    with _room_checked():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".part-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as target:
                size, digest = _copy(file, target)
                target.flush()
                os.fsync(target.fileno())
            os.replace(part, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(part)
            raise
    return StoredFile(key, size, digest)


def file_path(key: str) -> Path:
    return Path(settings.MEDIA_ROOT) / key


def file_delete(key: str) -> None:
    """A file that is gone already is fine."""
    file_path(key).unlink(missing_ok=True)


def files_older_than_a_day(folder: str = FOLDER) -> dict[str, Path]:
    """Stored files of a folder, of all tenants, by key. Without those of the last day: a file is written before its
    row commits, and a day is far longer than any upload.
    """
    root = Path(settings.MEDIA_ROOT)
    before = time.time() - _GRACE_S
    return {
        str(path.relative_to(root)): path
        for path in root.glob(f"*/{folder}/*/*")
        if path.is_file() and path.stat().st_mtime < before
    }


def _copy(source: BinaryIO, target: IO[bytes]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while piece := source.read(_PIECE):
        size += len(piece)
        if size > settings.UPLOAD_MAX_BYTES:
            limit_mb = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
            raise TooLarge(
                _("This file is larger than %(limit)s MB.") % {"limit": limit_mb},
                limit_bytes=settings.UPLOAD_MAX_BYTES,
            )
        digest.update(piece)
        target.write(piece)
    if not size:
        raise Invalid(_("This file is empty."), code="empty", field="file")
    return size, digest.hexdigest()


@contextmanager
def _room_checked() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull(
                _("There is no room left for files. Nothing was kept; please tell your operator.")
            ) from error
        raise
