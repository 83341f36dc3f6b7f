"""The Stata manual's example of instruments, as a user runs it: from files, and from a frame."""

import pandas as pd
import pytest

import attribution as at
from attribution.report.run_tables import tables


@pytest.fixture(scope="module")
def housing(case):
    return case("iv_housing_stata")


def numbers(run):
    """What the reference lists, by its own names."""
    found = tables(run)
    all_of, tests, stage = found["coefficients"], found["tests"], found["instruments"].iloc[0]
    values, errors = all_of["coefficient"], all_of["standard_error"]
    out = {
        f"{method}.{theirs}": values[f"rent: {ours}, {method}"]
        for method in ("2sls", "liml")
        for theirs, ours in (
            ("hsngval", "hsngval"),
            ("pcturban", "pcturban"),
            ("const", "constant"),
        )
    }
    return out | {
        "2sls.se.hsngval": errors["rent: hsngval, 2sls"],
        "2sls.se.pcturban": errors["rent: pcturban, 2sls"],
        "2sls.r2": values["rent: r2, 2sls"],
        "liml.kappa": values["rent: kappa, liml"],
        "sargan.chi2": tests.loc["rent: sargan", "statistic"],
        "sargan.p": tests.loc["rent: sargan", "p"],
        "wu_hausman.F": tests.loc["rent: wu_hausman", "statistic"],
        "first_stage.partial_r2": stage["partial_r2"],
        "first_stage.F": stage["f"],
    }


def test_every_row_of_the_example_is_reproduced_from_files(housing):
    found = numbers(housing.fit("ivregress"))
    assert set(found) == set(housing.expected.index)
    assert housing.misses(found) == {}


def test_every_row_of_the_example_is_reproduced_from_a_frame(housing):
    frame = pd.read_csv(housing.folder / "housing.csv", index_col="state")
    spec = at.model_from(
        {
            "schema": 1,
            "kind": "iv",
            "title": "Rents on house values",
            "sample": {},
            "methods": ["2sls", "liml"],
            "categories": ["region"],
            "errors": {"covariance": "unadjusted"},
            "equations": [
                {
                    "name": "rent",
                    "outcome": "rent",
                    "endogenous": ["hsngval"],
                    "exogenous": ["pcturban"],
                    "instruments": ["faminc", "region"],
                }
            ],
        }
    )
    assert housing.misses(numbers(at.fit(spec, data=frame))) == {}
