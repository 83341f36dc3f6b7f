"""Net creations and the accounts of a model file in; tables and findings of their evidence out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from attribution.check.flow_evidence import evidence_findings
from attribution.estimate.flow_data import FlowData
from attribution.estimate.flow_evidence import evidence_of
from attribution.estimate.flow_rivals import FlowEvidence, Rival
from attribution.finding import Finding
from attribution.model.flows import FlowsQuestion
from attribution.study.answer import of_draws

Tables = dict[str, pd.DataFrame]


def evidence_tables(
    question: FlowsQuestion,
    data: FlowData,
    *,
    seed: np.random.SeedSequence,
    draws: int = 2000,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[Tables, tuple[Finding, ...]]:
    """Weigh the accounts of a model file; this is all that a study of net creations has to call.

    Append the tables after the study's own and the findings to its findings; nothing else is
    needed.  Some 40 seconds of one core for eight accounts and two years of days.

    Returns
    -------
    Tables ``mechanism_evidence`` (account x dating x row), ``mechanism_foresight`` (account x
    dating), ``mechanism_effects`` (term) and ``mechanism_sensitivity``, and findings; both are
    empty where the model file has no accounts.

    Raises
    ------
    EventError
        If no held-out row of the focus has a flow.
    DataError
        If a term never moves or too few rows can be used.
    """
    if not question.mechanisms:
        return {}, ()
    evidence = evidence_of(data, question, draws=draws, seed=seed, say=say)
    return frames(evidence), evidence_findings(evidence)


def frames(evidence: FlowEvidence) -> Tables:
    """Lay the evidence out in tables."""
    rivals = [(r, k) for found in evidence.rivals.values() for k, r in enumerate(found)]
    return {
        "mechanism_evidence": _table(
            _evidence_row(evidence, rival, target)
            for rival, _ in rivals
            for target in evidence.targets
        ),
        "mechanism_foresight": _table(_foresight_row(evidence, r, k) for r, k in rivals),
        "mechanism_effects": _table(
            row for rival, _ in rivals for row in _effect_rows(evidence, rival)
        ),
        "mechanism_sensitivity": _table(
            {
                "account": each.mechanism,
                "dating": each.panel,
                "change": each.change,
                "gain": each.gain.value,
                "gain_error": each.gain.error,
                "ceiling": each.ceiling.value,
            }
            for each in evidence.sensitivity
        ),
    }


def _table(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    found = pd.DataFrame(list(rows))
    found.index = pd.Index([f"{i + 1}" for i in range(len(found))])
    return found


def _evidence_row(evidence: FlowEvidence, rival: Rival, target: str) -> dict[str, object]:
    gain = evidence.gain(rival, target)
    return {
        "account": rival.mechanism.name,
        "dating": rival.panel,
        "rows": target,
        "log_density": rival.score[target].value,
        "error": rival.score[target].error,
        "gain": gain.value,
        "gain_error": gain.error,
        "ceiling": evidence.ceiling(rival.panel, target).value,
        "net": gain.value - evidence.penalty * (not rival.mechanism.baseline),
        "counts": evidence.counts(rival) if target == evidence.whole else None,
    }


def _foresight_row(evidence: FlowEvidence, rival: Rival, place: int) -> dict[str, object]:
    base = evidence.rivals[rival.panel][0]
    ahead, gap = evidence.foresight(rival), rival.alone - base.alone
    finite = rival.foreseen.shape[np.isfinite(rival.foreseen.shape)]
    return {
        "account": rival.mechanism.name,
        "dating": rival.panel,
        "elpd": float(rival.foreseen.density.sum()),
        "elpd_difference": ahead.value,
        "elpd_error": ahead.error,
        "stacking": float(evidence.weights[rival.panel][place]),
        "rows": len(rival.foreseen.rows),
        "refits": rival.foreseen.refits,
        "largest_k": float(finite.max()) if len(finite) else -np.inf,
        "loo": float(rival.alone.sum()),
        "loo_difference": float(gap.sum()),
        "loo_error": float(gap.std(ddof=1) * np.sqrt(len(gap))),
        "loo_largest_k": float(rival.shape.max()),
        "rhat": rival.diagnostics["max_rhat"],
        "ess": rival.diagnostics["min_ess"],
    }


def _effect_rows(evidence: FlowEvidence, rival: Rival) -> Iterable[dict[str, object]]:
    """Say what a term of its usual size adds, and what all terms add to each row of the event."""
    if rival.slope is None or rival.contribution is None:
        return
    of = {"account": rival.mechanism.name, "dating": rival.panel}
    labels = sorted(rival.mechanism.terms, key=lambda term: abs(term.sign))
    for term, draws in zip(labels, rival.slope.T, strict=True):
        missing = rival.imputed.get(f"{rival.mechanism.name}: {term.label}", 0.0)
        yield of | of_draws(f"usual effect of {term.label}", draws, "USD million", missing=missing)
    for day, draws in zip(evidence.days, rival.contribution.T, strict=True):
        yield of | of_draws(f"part of the row of {day}", draws, "USD million", missing=None)
