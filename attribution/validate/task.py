"""What a validation repeats: a task that, given random numbers, returns one record of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Record = Mapping[str, float]


class Task(Protocol):
    """One replication of a validation, repeated with other random numbers.

    Attributes
    ----------
    name : of its folder.
    settings : everything that changes a record, but the seed; plain numbers and words.
    """

    @property
    def name(self) -> str:
        """Name of its folder."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """Everything that changes a record but the seed."""
        ...

    def replicate(self, rng: np.random.Generator) -> Record:
        """Return one record; the same generator state gives the same record."""
        ...


@dataclass(frozen=True)
class World:
    """Parameters drawn from the prior, and what they made.

    Attributes
    ----------
    truth : quantity -> its true value.
    data : what the fit may see.
    """

    truth: Mapping[str, float]
    data: Any


@dataclass(frozen=True)
class Drawn:
    """Posterior draws of the same quantities.

    Attributes
    ----------
    quantities : quantity -> (draw,).
    weight : (draw,); non-negative; all alike if None.
    """

    quantities: Mapping[str, np.ndarray]
    weight: np.ndarray | None = None


class Design(Protocol):
    """A prior that can be drawn from, and the posterior that is to be calibrated.

    Draws must be independent, or thinned until they are nearly so.
    """

    @property
    def name(self) -> str:
        """Name of its folder."""
        ...

    def simulate(self, rng: np.random.Generator) -> World:
        """Draw parameters from the prior and data from the parameters."""
        ...

    def fit(self, data: Any, rng: np.random.Generator) -> Drawn:
        """Draw the posterior given the data alone."""
        ...


@dataclass(frozen=True)
class Outcome:
    """Records of a task, in the order of their numbers.

    Attributes
    ----------
    name : of the task.  settings, seed, version : what made the records.
    numbers : (replication,) int.
    columns : name -> (replication,); NaN where the program refused.
    refused : number -> the sentence with which the program refused the data.
    """

    name: str
    settings: Mapping[str, object]
    seed: int
    version: str
    numbers: np.ndarray
    columns: Mapping[str, np.ndarray]
    refused: Mapping[int, str] = field(default_factory=dict)
