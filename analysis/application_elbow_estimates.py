"""Which latent size serves each application? The size that reconstructs best need not.

Of every curve (cells that differ in latent_dim alone) and application: the error at each size, the sizes that rules
choose on validation images, how far reconstruction and the application rank the sizes alike, and what it costs the
application to take the size that reconstruction chooses, on test images. Errors in, estimates out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import chosen_size
from analysis.application_elbow_errors import ANOMALY, RECONSTRUCTION
from analysis.latent_elbow_choice import THRESHOLDS, rule_name
from analysis.statistics import paired_t, t_interval

if TYPE_CHECKING:
    import pandas as pd

    from analysis.statistics import Floats

MARGIN, AUC_MARGIN = 0.02, 0.005  # losses of no importance: a share of the error, and of an area
BEST = "as good as the best"  # the rule by which every application chooses, and reconstruction for it
SHARES = ("reconstruction", "inpainting", "denoising")  # their errors are shares of the mean image's


@dataclass(frozen=True)
class Estimates:
    """All the numbers; every table has `dataset`, `curve` and `application`.

    Attributes:
        points: A row a trial and split: `latent_dim`, `seed`, `error` (lower is better), `n_images`.
        curve: A row a size and split: mean over seeds, t interval.
        choice: A row a rule: the size chosen on validation images with its interval, the test error at it.
        agreement: A row an application but reconstruction: Kendall's τ of the two rankings of the sizes.
        regret: A row an application and rule of reconstruction: test error at reconstruction's choice over that at the
            application's own.
    """

    points: pd.DataFrame
    curve: pd.DataFrame
    choice: pd.DataFrame
    agreement: pd.DataFrame
    regret: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table; without what was not asked for."""
        names = ("points", "curve", "choice", "agreement", "regret")
        return {name: getattr(self, name) for name in names if len(getattr(self, name))}


def estimate(points: pd.DataFrame) -> Estimates:
    """All the numbers.

    Args:
        points: A row a trial, application and split: `dataset`, `curve`, `application`, `latent_dim`, `seed`, `split`,
            `error`, `n_images`; every curve also with the application "reconstruction".
    """
    import pandas as pd

    groups = list(points.groupby(["dataset", "curve", "application"], sort=False))
    choice = pd.DataFrame([row for key, part in groups for row in _choices(_named(key), part)])
    against: list[dict[str, Any]] = []
    regret: list[dict[str, Any]] = []
    for key, part in groups:
        named = _named(key)
        if named["application"] != RECONSTRUCTION:
            of_curve = points[(points["curve"] == key[1]) & (points["application"] == RECONSTRUCTION)]
            against.append({**named, **agreement(*(_table(rows, "val") for rows in (of_curve, part)))})
            regret += _regrets(named, choice[choice["curve"] == key[1]], _table(part, "test"))
    return Estimates(
        points,
        pd.DataFrame([row for key, part in groups for row in _curve(_named(key), part)]),
        choice,
        pd.DataFrame(against),
        pd.DataFrame(regret),
    )


def _named(key: Sequence[str]) -> dict[str, str]:
    return dict(zip(("dataset", "curve", "application"), key, strict=True))


def _table(part: pd.DataFrame, split: str) -> pd.DataFrame:
    """Seeds × sizes, without sizes that no seed has."""
    rows = part[part["split"] == split]
    return rows.pivot(index="seed", columns="latent_dim", values="error").dropna(axis=1, how="all").sort_index()


def _curve(named: dict[str, str], part: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for (split, size), rows in part.groupby(["split", "latent_dim"]):
        found = t_interval(rows["error"].dropna())
        yield {
            **named,
            **{"split": split, "latent_dim": size, "error": found.value, "low": found.low, "high": found.high},
            **{"n": found.n, "n_images": rows["n_images"].min(), "method": f"{found.method} over seeds"},
        }


def _choices(named: dict[str, str], part: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What each rule chooses on validation images, and the test error there."""
    val, test = (_table(part, split) for split in ("val", "test"))
    rules: tuple[float | str, ...] = (BEST, *THRESHOLDS) if named["application"] in SHARES else (BEST,)
    for rule in rules:
        chosen = choose(named["application"], rule, val)
        at = t_interval(test[chosen["value"]].dropna() if chosen["value"] in test else [])
        yield {
            **named,
            **{"rule": rule if isinstance(rule, str) else rule_name(rule), **chosen},
            **{"test_error": at.value, "test_low": at.low, "test_high": at.high, "test_n": at.n},
            "test": f"{at.value:.4g} [{at.low:.4g}, {at.high:.4g}]" if at.n else "–",
            "test_method": f"{at.method} over seeds",
        }


def choose(application: str, rule: float | str, val: pd.DataFrame) -> dict[str, Any]:
    """The size that a rule chooses.

    Args:
        application: Decides the margin.
        rule: `BEST`, or a threshold.
        val: (seeds × sizes) validation errors.

    Returns:
        `value`, `low`, `high` (None: beyond the grid, or not to be told), `best`, its `margin` and the `choice` in
        words, `first`, `last`, `n`, `method`.
    """
    sizes, table = list(val.columns), val.to_numpy()
    ends = {"first": sizes[0], "last": sizes[-1], "tried": " ".join(map(str, sizes))}
    if rule == BEST and len(table) < 2:
        few = {"value": None, "low": None, "high": None, "best": None, "margin": "", "choice": "–"}
        method = "none: comparing with the best size needs 2 seeds or more"
        return {**few, "n": len(table), **ends, "method": method}
    if rule == BEST:
        scaled, margin, words = _scaled(application, table)
        found = chosen_size.non_inferior_size(scaled, sizes, margin)
        method = found.method.replace(f"by {margin:g}", f"by {words}")
    else:
        found, words = chosen_size.chosen_size(table, sizes, float(rule)), ""
        method = found.method
    return {
        **{"value": found.value, "low": found.low, "high": found.high, "best": found.best, "margin": words},
        **{"choice": str(found).replace(" (not reached)", ""), "n": found.n, **ends, "method": method},
    }


def _scaled(application: str, table: Floats) -> tuple[Floats, float, str]:
    """Errors on the scale of a margin, the margin, and the margin in words."""
    if application == ANOMALY:
        return table, AUC_MARGIN, f"{AUC_MARGIN:g} of the AUC"
    words = f"{100 * MARGIN:g} % of the error"
    if np.nanmin(table) > 0:
        return np.log(table), float(np.log1p(MARGIN)), words
    # A kernel distance may fall below 0, where a ratio means nothing, and a share of the least one is next to nothing.
    span = float(np.ptp(np.nanmean(table, axis=0)))
    return table / span if span else table, MARGIN, f"{100 * MARGIN:g} % of the span of the mean errors"


def agreement(reconstruction: pd.DataFrame, application: pd.DataFrame) -> dict[str, Any]:
    """Kendall's τ between two rankings of the sizes by error, seed by seed: 1 the same order, -1 the reverse.

    τ-b (Kendall 1945, doi:10.1093/biomet/33.3.239); the interval over seeds is cut at ±1; p is the exact permutation
    test of the two mean curves, whose least value k sizes bound at 2 ÷ k!; where sizes tie in a curve, as areas of 1
    do, the normal approximation's.

    Args:
        reconstruction: (seeds × sizes) errors.
        application: The same; sizes and seeds that either lacks are left out.
    """
    from scipy.stats import kendalltau

    sizes = [size for size in reconstruction if size in application]
    seeds = [seed for seed in reconstruction.index if seed in application.index]
    a, b = (table.loc[seeds, sizes].to_numpy() for table in (reconstruction, application))
    whole = ~(np.isnan(a) | np.isnan(b)).any(axis=1)
    taus = [kendalltau(x, y).statistic for x, y in zip(a[whole], b[whole], strict=True)]
    found = t_interval([tau for tau in taus if tau == tau])  # NaN: all sizes alike
    means = [np.nanmean(table, axis=0) for table in (a, b)]
    exact = len(sizes) < 30 and all(len(set(curve)) == len(sizes) for curve in means)
    test = kendalltau(*means, method="exact" if exact else "asymptotic")
    words = f"{'exact permutation test' if exact else 'normal approximation'} of the mean curves"
    return {
        **{"tau": found.value, "low": max(found.low, -1.0), "high": min(found.high, 1.0), "n": found.n},
        **{"sizes": len(sizes), "tau_of_means": test.statistic, "p": test.pvalue},
        "test": words,
        "method": f"{found.method} of Kendall's τ-b over seeds; p: {words}",
    }


def _regrets(named: dict[str, str], choice: pd.DataFrame, test: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What each rule of reconstruction costs the application, on test images."""
    own = choice[(choice["application"] == named["application"]) & (choice["rule"] == BEST)].iloc[0]
    for row in choice[choice["application"] == RECONSTRUCTION].to_dict("records"):
        yield {
            **named,
            **{"rule": row["rule"], "of_reconstruction": row["value"], "own": own["value"]},
            **regret(test, row["value"], own["value"]),
        }


def regret(test: pd.DataFrame, chosen: float | None, own: float | None) -> dict[str, Any]:
    """Test error at one size over that at another, paired by seed.

    Args:
        test: (seeds × sizes) errors.
        chosen: Reconstruction's size; None where it chose none.
        own: The application's.

    Returns:
        `ratio` with `low` and `high` (t interval of the log; NaN where an error is not above 0), `difference` likewise,
        `n`, `method`.
    """
    if not all(size is not None and size == size and size in test for size in (chosen, own)):
        nothing = t_interval([])
        return _regret(nothing, nothing) | {"method": "none: no size was chosen"}
    pair = test[[chosen] if chosen == own else [chosen, own]].dropna().to_numpy()
    at, beside = pair[:, 0], pair[:, -1]
    ratio = paired_t(np.log(at) - np.log(beside)) if len(pair) and pair.min() > 0 else t_interval([])
    return _regret(ratio, paired_t(at - beside))


def _regret(ratio: Any, difference: Any) -> dict[str, Any]:
    return {
        **{"ratio": float(np.exp(ratio.value)), "low": float(np.exp(ratio.low)), "high": float(np.exp(ratio.high))},
        **{"difference": difference.value, "difference_low": difference.low, "difference_high": difference.high},
        **{"n": difference.n, "method": f"{difference.method}; of the ratio: of the log error, exponentiated"},
    }
