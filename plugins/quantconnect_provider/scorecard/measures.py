"""The figures of a scorecard, from the sums that SQL gives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

_Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: 95 % lie between it and its opposite."""


def wilson_interval(hits: int, count: int) -> tuple[float, float] | tuple[None, None]:
    """Return Wilson's 95 % interval of a hit rate, without continuity correction; None twice if *count* is 0.

    >>> [round(end, 4) for end in wilson_interval(7, 10)]
    [0.3968, 0.8922]
    """
    if not count:
        return None, None
    share, square = hits / count, _Z_95**2
    middle = share + square / (2 * count)
    reach = _Z_95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    scale = 1 + square / count
    low = 0.0 if hits == 0 else (middle - reach) / scale
    high = 1.0 if hits == count else (middle + reach) / scale
    return low, high


@dataclass(frozen=True)
class RankSums:
    """Sums over the pairs of prediction and outcome of a scorecard.

    All ranks are doubled, so that they are whole numbers: equal values share the mean of their ranks.

    :param count: number of pairs.
    :param xx: sum of the squares of the predictions' ranks.
    :param yy: sum of the squares of the outcomes' ranks.
    :param xy: sum of the products of both ranks.
    """

    count: int
    xx: float
    yy: float
    xy: float

    def correlation(self) -> float | None:
        """Return Spearman's rank correlation; None if all predictions or all outcomes are equal."""
        # The mean of doubled ranks is count + 1. One value that differs from all others gives a variance of
        # count * (count - 1); less than half of count is an error of rounding.
        expected = self.count * (self.count + 1.0) ** 2
        variances = self.xx - expected, self.yy - expected
        if self.count < 2 or min(variances) < self.count / 2:
            return None
        found = (self.xy - expected) / math.sqrt(variances[0] * variances[1])
        return max(-1.0, min(1.0, found))


@dataclass
class Sums:
    """Numbers and sums over the insights of one scorecard.

    :param returns: number of insights with a return and the direction up or down.
    :param signed: sum of their returns, each signed by the direction.
    :param pairs: number of insights with a return and any direction.
    :param magnitudes: number of pairs with a magnitude.
    :param confidences: number of pairs with a confidence.
    :param tenths: by tenth of confidence: number of scored insights, sum of their confidence, hits.
    """

    insights: int = 0
    open: int = 0
    scored: int = 0
    hits: int = 0
    returns: int = 0
    signed: float = 0.0
    pairs: int = 0
    magnitudes: int = 0
    confidences: int = 0
    tenths: dict[int, tuple[int, float, int]] = field(default_factory=dict)

    def figures(self, ranks: RankSums | None) -> dict[str, Any]:
        """Return the columns of a scorecard that follow from the sums."""
        low, high = wilson_interval(self.hits, self.scored)
        return {
            "insights": self.insights,
            "open": self.open,
            "scored": self.scored,
            "hits": self.hits,
            "hit_rate": self.hits / self.scored if self.scored else None,
            "hit_rate_low": low,
            "hit_rate_high": high,
            "returns": self.returns,
            "mean_signed_return": self.signed / self.returns if self.returns else None,
            "information_coefficient": ranks.correlation() if ranks else None,
            "information_coefficient_pairs": self.pairs,
            "information_coefficient_of": self.prediction(),
            "calibration": self.calibration(),
        }

    def prediction(self) -> str | None:
        """Return what is ranked as the prediction: the strongest measure that all pairs have."""
        if not self.pairs:
            return None
        if self.magnitudes == self.pairs:
            return "magnitude"
        return "confidence" if self.confidences == self.pairs else "direction"

    def calibration(self) -> list[dict[str, Any]]:
        """Return confidence against hit rate, for each tenth of confidence that has insights."""
        return [
            {
                "from": tenth / 10,
                "to": (tenth + 1) / 10,
                "insights": count,
                "mean_confidence": confidence / count,
                "hit_rate": hits / count,
            }
            for tenth, (count, confidence, hits) in sorted(self.tenths.items())
        ]
