"""A question and the observed series in; the rows a closed-form estimator may use out."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from attribution.errors import DataError, SpecError, nearest
from attribution.model.spec import ModelSpec

CHAINS = 4


def refuse_settings(spec: ModelSpec, draws: int, event_in: str, *, estimator: str) -> None:
    """Refuse settings that an estimator without a scale of its own for each day cannot meet.

    Raises
    ------
    SpecError
        If the event is to be scaled, the setting is unknown, or the draws do not fill the chains.
    """
    place = f"model '{spec.name}'"
    if event_in == "scale":
        raise SpecError(
            f"{place}: {estimator} has no scale of its own for the event days;"
            " use --event-in out or in, or kind 'bvar'"
        )
    if event_in not in ("out", "in"):
        raise SpecError(
            f"{place}: event-in is '{event_in}'; use out or in{nearest(event_in, ('out', 'in'))}"
        )
    if draws < CHAINS or draws % CHAINS:
        raise SpecError(
            f"{place}: {draws} draws do not fill {CHAINS} equal chains;"
            f" ask for {max(1, -(-draws // CHAINS)) * CHAINS}"
        )


def estimation_sample(
    spec: ModelSpec, values: pd.DataFrame, event_in: str, *, last: date
) -> pd.DataFrame:
    """Return the estimation rows, lags included: complete, long enough, no column degenerate.

    Leading days on which a series has not begun are left out.

    Parameters
    ----------
    event_in : ``out`` ends the sample before ``event.hold_out``, ``in`` with the day ``last``.

    Raises
    ------
    DataError
        If a column or a value is missing, a column constant, two collinear, or rows too few.
    """
    names = list(spec.system.variables)
    for name in names:
        if name not in values:
            raise DataError(f"column '{name}': the data lack it{nearest(name, values.columns)}")
    frame = values.loc[pd.Timestamp(spec.sample.start) : pd.Timestamp(last), names]
    first = pd.Timestamp(spec.event.hold_out[0])
    frame = frame.loc[frame.index < first] if event_in == "out" else frame
    complete = frame.notna().all(axis=1).to_numpy()
    frame = frame.iloc[int(complete.argmax()) if complete.any() else len(frame) :]
    if frame.isna().to_numpy().any():
        column = frame.isna().any().idxmax()
        day = frame.index[frame[column].isna()][0]
        raise DataError(
            f"column '{column}': no value on {day:%Y-%m-%d}, inside the estimation sample;"
            " supply it, move the sample, or use a model without it"
        )
    regressors = len(names) * spec.system.lags + spec.system.constant
    if len(frame) - spec.system.lags <= regressors + len(names):
        raise DataError(
            f"model '{spec.name}': {len(frame)} complete days for {regressors} coefficients an"
            " equation; lengthen the sample, or use fewer lags or variables"
        )
    _refuse_degenerate(frame)
    return frame


def _refuse_degenerate(frame: pd.DataFrame) -> None:
    series = frame.to_numpy(float)
    for column, spread in zip(frame, np.ptp(series, 0), strict=True):
        if spread == 0:
            raise DataError(f"column '{column}': it is constant in the estimation sample; drop it")
    if np.linalg.matrix_rank((series - series.mean(0)) / series.std(0)) < series.shape[1]:
        raise DataError(
            f"columns {', '.join(map(str, frame))}: they are collinear in the estimation sample;"
            " drop one of them"
        )
