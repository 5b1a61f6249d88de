"""Medians, and how far to trust them: what a few noisy rounds can and cannot tell."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence

import msgspec

_RESAMPLES = 2000
_CONFIDENCE = 0.95
_MAD_TO_DEVIATION = 1.4826
"""For normal noise the standard deviation is so many times the median absolute deviation."""
_MEDIAN_TO_MEAN_ERROR = 1.2533
"""For normal noise the median's standard error is so many times the mean's."""


class Estimate(msgspec.Struct, frozen=True):
    """The median of some rounds, its 95 % bootstrap interval, and the rounds' spread."""

    median: float
    low: float
    high: float
    spread: float
    """Median absolute deviation of the rounds."""
    rounds: int

    @property
    def standard_error(self) -> float:
        """Of the median, from the spread of the rounds."""
        deviation = _MAD_TO_DEVIATION * self.spread
        return _MEDIAN_TO_MEAN_ERROR * deviation / math.sqrt(self.rounds)


def estimate(values: Sequence[float]) -> Estimate:
    """Summarise the rounds; the same rounds always give the same interval.

    Raises:
        statistics.StatisticsError: there are none.
    """
    median = statistics.median(values)
    spread = statistics.median(abs(value - median) for value in values)
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    tail = int(_RESAMPLES * (1 - _CONFIDENCE) / 2)
    return Estimate(median, medians[tail], medians[-1 - tail], spread, len(values))
