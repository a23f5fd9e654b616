"""A photo as it may be kept and shown: the picture alone, upright, without what the camera wrote into it."""

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, JpegImagePlugin

from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats import photo_facts
from furrow.knowledge.parsing.limits import ParseJob

# Those of phones are a few hundred bytes; larger ones belong to presses.
_MOST_PROFILE = 64 * 1024
_WEBP_QUALITY = 85


def read(path: Path, job: ParseJob) -> dict[str, Any]:
    """`facts` of the photo as it came, its size as it is kept, and the kept bytes in Base64. Drawn anew, so that
    nothing of the old file goes along, wherever it was hidden.
    """
    facts = photo_facts.read(path, job)
    with photo_facts.opened(path) as picture:
        options = _options(picture)
        profile = picture.info.get("icc_profile")
        if profile and len(profile) <= _MOST_PROFILE and picture.mode != "CMYK":
            options["icc_profile"] = profile
        ImageOps.exif_transpose(picture, in_place=True)
        kept = picture.convert("RGB") if picture.mode == "CMYK" else picture
        # Comments and profiles are written from here unless told otherwise; which colour is none is needed.
        kept.info = {k: v for k, v in picture.info.items() if k == "transparency"}
        facts["width"], facts["height"] = kept.size
        data = _saved(kept, options, job)
    return {"facts": facts, "data": base64.b64encode(data).decode()}


def _options(picture: Image.Image) -> dict[str, Any]:
    """How it is written: a JPEG with its own tables, so that it loses next to nothing and does not grow."""
    if photo_facts.TYPES[str(picture.format)] != "image/jpeg":
        return {"format": picture.format, "quality": _WEBP_QUALITY}
    options: dict[str, Any] = {"format": "JPEG", "quality": 90}
    if picture.mode != "CMYK" and isinstance(picture, JpegImagePlugin.JpegImageFile):
        options |= {"qtables": picture.quantization, "optimize": True}
        options["subsampling"] = JpegImagePlugin.get_sampling(picture)
    return options


def _saved(picture: Image.Image, options: dict[str, Any], job: ParseJob) -> bytes:
    out = io.BytesIO()
    picture.save(out, **options)
    if out.tell() > job.limits.max_bytes:
        raise ParseFailure("too_large", "drawn anew")
    return out.getvalue()
