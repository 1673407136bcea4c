"""Numbers out of repeated measurements: medians of paired ratios with a bootstrap interval, percentiles. No clocks, no input."""

import random
import statistics

RESAMPLES = 2000
SEED = 20261121  # the same numbers always give the same interval


def median(values):
    return statistics.median(values)


def percentile(values, share):
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[min(len(ordered), max(1, int(rank))) - 1]


def paired_ratios(ours, theirs):
    """theirs / ours, pair by pair: with seconds, how many times faster we are."""
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} and {len(theirs)} values are no pairs")
    return [their / our for our, their in zip(ours, theirs)]


def bootstrap_interval(values, confidence=0.95):
    """Where the median of such values lies: (low, high). One value says nothing about its spread: (value, value)."""
    if len(values) < 2:
        return values[0], values[0]
    chance = random.Random(SEED)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(RESAMPLES))
    edge = int(RESAMPLES * (1 - confidence) / 2)
    return medians[edge], medians[-1 - edge]


class Figure:
    """A median and where it lies."""

    def __init__(self, values):
        if not values:
            raise ValueError("a figure of no values")
        self.values = list(values)
        self.value = median(self.values)
        self.low, self.high = bootstrap_interval(self.values)

    def as_json(self):
        return {"value": self.value, "low": self.low, "high": self.high, "values": self.values}

    def text(self, digits=2, unit=""):
        spread = f" ({self.low:.{digits}f} to {self.high:.{digits}f})" if len(self.values) > 1 else ""
        return f"{self.value:.{digits}f}{unit}{spread}"


def order_of_pairs(pairs):
    """A B, B A, A B, ...: True where ours goes first. Whatever drifts over the minutes falls on both."""
    return [number % 2 == 0 for number in range(pairs)]
