"""PNG and JPEG pictures of text."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.layout import arrange
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.paragraphs import ParagraphWriter, TypeSizes

_LONGEST_SIDE = 3_000
_SMALL_SIDE = 900
_LEAST_SIDE = 16


def read(path: Path, job: ParseJob) -> ParsedDocument:
    """One page; the size in the header is checked before a single pixel is decoded."""
    job.before_ocr(1)
    pixels = _load(path, job)
    from furrow.knowledge.parsing.ocr import Recogniser  # noqa: PLC0415  loads large models

    with job.ocr_turn():
        segments = Recogniser().read(pixels)
    builder = DocumentBuilder(job)
    builder.start_page(1)
    # The heights of recognised boxes vary too much to tell headings by them.
    ParagraphWriter(builder, TypeSizes(0.0, ())).write(arrange(segments))
    job.on_progress(1, 1)
    return builder.build(meta={"ocr_pages": "1"})


def _load(path: Path, job: ParseJob) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Upright, on white, in BGR order, scaled into the range that recognition is good at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(path, formats=("PNG", "JPEG"))
            _check_size(image, job)
            if image.format == "JPEG":
                image.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
            image = ImageOps.exif_transpose(image)
            image = _on_white(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise ParseFailure("damaged", type(error).__name__) from error
    except Image.DecompressionBombError as error:
        raise ParseFailure("bomb", "picture size") from error
    image = _scaled(image)
    return np.ascontiguousarray(np.asarray(image, dtype=np.uint8)[:, :, ::-1])


def _check_size(image: Image.Image, job: ParseJob) -> None:
    width, height = image.size
    if width * height > job.limits.max_pixels:
        raise ParseFailure("bomb", f"{width}x{height} pixels")
    if min(width, height) < _LEAST_SIDE:
        raise ParseFailure("empty_scan", f"{width}x{height} pixels")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def _scaled(image: Image.Image) -> Image.Image:
    longest = max(image.size)
    if longest > _LONGEST_SIDE:
        factor = _LONGEST_SIDE / longest
    elif longest < _SMALL_SIDE:
        factor = min(3.0, _SMALL_SIDE / longest)
    else:
        return image
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)
