"""What a photo tells of itself: size, a hash of how it looks, and what the camera wrote beside it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, UnidentifiedImageError

from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseJob

_FORMATS = ("JPEG", "PNG", "WEBP")
# MPO is a JPEG with further pictures behind the first, as many phones write them.
TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, KeyError, TypeError)
_WORDS_LENGTH = 200


def read(path: Path, job: ParseJob) -> dict[str, Any]:
    """The size in the header is looked at before a single pixel is decoded."""
    with opened(path) as picture:
        return _facts(picture, job)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """The picture, nothing decoded yet. Raises `ParseFailure` for what is none, also while it is worked with."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as picture:
                yield picture
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ParseFailure("bomb", "picture size") from error
    except _BROKEN as error:
        raise ParseFailure("damaged", type(error).__name__) from error


def _facts(picture: Image.Image, job: ParseJob) -> dict[str, Any]:
    width, height = picture.size
    if width * height > job.limits.max_pixels:
        raise ParseFailure("bomb", f"{width}x{height} pixels")
    exif = picture.getexif()
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    taken = inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    return {
        "content_type": TYPES[str(picture.format)],
        "width": width,
        "height": height,
        "dhash": _dhash(picture),
        "taken": _words(taken),
        "software": _words(exif.get(ExifTags.Base.Software)),
    }


def _dhash(picture: Image.Image) -> str:
    """Whether each of 8 x 8 places is lighter than its neighbour: survives scaling and saving again."""
    picture.draft("L", (64, 64))
    small = picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS)
    grey = small.tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            at = row * 9 + column
            bits = bits << 1 | (grey[at] > grey[at + 1])
    return f"{bits:016x}"


def _words(value: Any) -> str:
    """Valid text whatever a camera, or somebody with an editor, wrote there."""
    text = str(value or "")[:_WORDS_LENGTH]
    return text.encode("utf-8", "replace").decode().strip("\x00 ")
