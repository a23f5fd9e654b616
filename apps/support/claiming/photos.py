"""What a claim photo tells of itself: whether it was seen before, when it was taken, whether it was worked on."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.core.errors import Invalid, TooLarge

if TYPE_CHECKING:
    from PIL import Image

MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 60_000_000
# Of 64 bits; the same picture saved again or made smaller differs by a few.
SAME_PICTURE = 6
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_EDITORS = (
    "photoshop",
    "lightroom",
    "gimp",
    "snapseed",
    "meitu",
    "美图",
    "picsart",
    "醒图",
    "canva",
)


@dataclass(frozen=True)
class Photo:
    content_type: str
    width: int
    height: int
    sha256: str
    dhash: str
    taken_at: datetime | None
    editor: str


def photo_read(data: bytes) -> Photo:
    """Raises `Invalid` for what is no picture, before it is unpacked when it is too large."""
    # Ten megabytes in each process of the web, for something that is done now and then.
    from PIL import ExifTags, Image, UnidentifiedImageError  # noqa: PLC0415

    if len(data) > MOST_BYTES:
        raise TooLarge(_("This photo is too large."), limit_bytes=MOST_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=tuple(_TYPES)) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise TooLarge(_("This photo is too large."), limit_bytes=MOST_BYTES)
                exif = picture.getexif()
                kind = _TYPES[str(picture.format)]
                size = picture.size
                dhash = _dhash(picture)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError,
            Image.DecompressionBombWarning):  # fmt: skip
        raise Invalid(_("This file is no photo (JPEG, PNG or WebP)."), field="file") from None
    taken = _taken_at(exif)
    software = str(exif.get(ExifTags.Base.Software, "")).lower()
    editor = next((name for name in _EDITORS if name in software), "")
    return Photo(kind, *size, hashlib.sha256(data).hexdigest(), dhash, taken, editor)


def distance(left: str, right: str) -> int:
    """In how many bits two hashes differ."""
    return (int(left, 16) ^ int(right, 16)).bit_count()


def is_plain(dhash: str) -> bool:
    """A picture with hardly any change from place to place resembles every other such picture."""
    return not SAME_PICTURE < int(dhash, 16).bit_count() < 64 - SAME_PICTURE


def findings_of(
    photo: Photo, *, ordered_at: datetime | None, reported_at: datetime, seen: str
) -> list[str]:
    """Codes of what is odd: nothing is decided by them, a person looks. `seen` is `file`, `picture` or empty."""
    found = [f"same_{seen}"] if seen else []
    if photo.editor:
        found.append("edited")
    if photo.taken_at is not None:
        if ordered_at is not None and photo.taken_at < ordered_at:
            found.append("older_than_order")
        # Phones' clocks are a little off.
        if (photo.taken_at - reported_at).total_seconds() > 24 * 3600:
            found.append("from_the_future")
    return found


def _dhash(picture: "Image.Image") -> str:
    """Whether each of 8 x 8 places is lighter than its neighbour: survives scaling and saving again."""
    from PIL import Image  # noqa: PLC0415

    picture.draft("L", (64, 64))
    small = picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS)
    grey = small.tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            at = row * 9 + column
            bits = bits << 1 | (grey[at] > grey[at + 1])
    return f"{bits:016x}"


def _taken_at(exif: "Image.Exif") -> datetime | None:
    """In the shop's own time zone, as phones write no zone."""
    from PIL import ExifTags  # noqa: PLC0415

    inner = exif.get_ifd(ExifTags.IFD.Exif)
    text = inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        moment = datetime.strptime(str(text).strip("\x00 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None
    return timezone.make_aware(moment)
