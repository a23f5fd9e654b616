"""Text recognition of pictures; the models come with the package, nothing is fetched."""

from typing import Any

import numpy as np
from rapidocr_onnxruntime import RapidOCR
from rapidocr_onnxruntime.ch_ppocr_det.utils import DetPreProcess

from furrow.knowledge.parsing.layout import Segment, by_columns

_LEAST_SCORE = 0.5
# Lines are looked for on a picture of this size and read from the full one. A larger one finds no more on
# A4 pages of ordinary print, and costs twice the time and memory.
_FIND_SIDE = 1280


class Recogniser:
    """Loads the models once; about a second."""

    def __init__(self) -> None:
        # One thread each: processor time is what the limits count, and more threads spin.
        self._engine = RapidOCR(
            intra_op_num_threads=1, inter_op_num_threads=1, text_score=_LEAST_SCORE
        )
        finder = self._engine.text_det
        # The package has no option for it: with its "max" it takes 2,000 for every larger picture.
        finder.get_preprocess = lambda _: DetPreProcess(_FIND_SIDE, "max", finder.mean, finder.std)

    def read(self, image: "np.ndarray[Any, Any]", *, scale: float = 1.0) -> list[Segment]:
        """Recognised pieces of a BGR picture (height, width, 3) in reading order; boxes times `scale`."""
        found, _ = self._engine(np.ascontiguousarray(image))
        segments = [_segment(box, text, scale) for box, text, _ in found or [] if text.strip()]
        return by_columns(segments)


def _segment(box: list[list[float]], text: str, scale: float) -> Segment:
    xs = [point[0] * scale for point in box]
    ys = [point[1] * scale for point in box]
    # The box of a slightly tilted line is higher than its letters: the short side is the size.
    size = max(1.0, (abs(box[3][1] - box[0][1]) + abs(box[2][1] - box[1][1])) / 2 * scale)
    middle = sum(ys) / 4
    return Segment(text.strip(), min(xs), middle - size / 2, max(xs), middle + size / 2, size)
