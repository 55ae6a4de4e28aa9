"""The figure for sentiment: the mean of the recalls of negative, neutral and positive, whatever their shares."""

from __future__ import annotations

from collections.abc import Sequence


def macro_recall(expected: Sequence[int], given: Sequence[int]) -> float:
    """0..1; every class must occur."""
    recalls = []
    for label in (-1, 0, 1):
        answers = [answer for truth, answer in zip(expected, given, strict=True) if truth == label]
        recalls.append(answers.count(label) / len(answers))
    return sum(recalls) / 3
