"""What the simulations of `offby choose` share: kinds of noise, and a case to be chosen for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Random = np.random.Generator
Truth = Callable[[Random, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Simulated:
    """Truths about their means, a judge, and the answers that are right."""

    name: str
    truth: Truth
    judge: str
    right: tuple[str, ...]


def gaussian(random: Random, mean: np.ndarray) -> np.ndarray:
    """Gaussian noise."""
    return mean + random.normal(size=mean.size)


def student(random: Random, mean: np.ndarray) -> np.ndarray:
    """Student's t noise, 3 degrees of freedom."""
    return mean + random.standard_t(3, mean.size)


def gross(random: Random, mean: np.ndarray) -> np.ndarray:
    """Gaussian noise, one row in twenty with ten times the spread."""
    return mean + random.normal(size=mean.size) * np.where(random.random(mean.size) < 0.05, 10, 1)


def exponential(random: Random, mean: np.ndarray) -> np.ndarray:
    """Exponential noise of mean 0."""
    return mean + 2 * (random.exponential(size=mean.size) - 1)


def lognormal(random: Random, mean: np.ndarray) -> np.ndarray:
    """Log-normal noise (skewness 6) of mean 0."""
    return mean + random.lognormal(size=mean.size) - np.exp(0.5)
