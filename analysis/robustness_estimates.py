"""Every conclusion of a study under every variation: contrasts anew, sizes chosen anew, and what becomes of each.

With one seed left out a contrast has the method of so many seeds: from 4 to 3 its critical t grows 1.35 times (1.83 in
a family of 8, by Bonferroni) through degrees of freedom alone, from 10 to 9 sign flips give way to Bonferroni on t.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import effects, figures, robustness_stopping
from analysis.chosen_size import ChosenSize, chosen_sizes
from analysis.effects_contrasts import cell_of
from analysis.effects_families import TUNABLE
from analysis.latent_elbow_choice import THRESHOLDS, counted, rule_name
from analysis.latent_elbow_estimates import curves
from analysis.robustness_outcomes import NONE, OUTCOMES, of_contrast, of_size, worst
from analysis.robustness_stopping import RULES
from study import records
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

DECLARED, TUNED, GRID = "as declared", "tuned hyperparameters", "grid without its last size"
VALIDATION = "validation images"
METRICS = {"test MAE": "test_mae", "test excess BCE": "test_excess_bce", "test SSIM": "test_ssim"}
SEEDS = "any one seed left out"
SIZES = "latent size"  # the family of the elbows
POINT = [*records.FACTORS, "trial", "seed", "status", "narrowest_width", "val_fvu"]  # what a chosen size is read from
Choices = dict[tuple[str, float], ChosenSize]  # by curve and threshold
Stopped = Mapping[str, "pd.DataFrame"]  # by rule: the trials as it would have left them


@dataclass(frozen=True)
class Study:
    """What is varied, and beside it the same space with tuned hyperparameters, if that was run.

    Attributes:
        trials: The trials table; of `randomness` "all" alone.
        history: The learning curves.
        families: Declared.
        tuned: The same of the tuned study, or None; its families have the same names and order.
    """

    trials: pd.DataFrame
    history: pd.DataFrame
    families: list[effects.Family]
    tuned: Study | None = None


@dataclass(frozen=True)
class Estimates:
    """All the numbers.

    Attributes:
        variations: A row a conclusion and variation (and seed left out): `family`, `conclusion`, `key`, `variation`,
            `seed`, `metric`; `value`, `low`, `high` (a ratio of errors, or a latent size; NaN beyond the grid), `n`,
            `p`, `method`, `outcome`.
        conclusions: A row a conclusion: as declared `value`, `low`, `high`, `n`, `method`, `resolved`; then a column a
            variation with its outcome; `applicable` variations, and of these `same` (the direction, or the size) and
            `kept` (and resolved).
    """

    variations: pd.DataFrame
    conclusions: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table."""
        return {"conclusions": self.conclusions, "variations": self.variations}


def estimate(study: Study) -> Estimates:
    """All conclusions under all variations.

    Raises:
        InputError: The study declares no contrast and has no curve over the latent size.
    """
    import pandas as pd

    stopped = {rule: robustness_stopping.stopped(study.trials, study.history, rule) for rule in RULES}
    rows = [*_contrasts(study, stopped), *_sizes(study, stopped)]
    if not rows:
        raise InputError(
            "this study draws no conclusions: its search space declares no FAMILIES, and no cells differ in latent_dim "
            "alone at three sizes or more."
        )
    return Estimates(pd.DataFrame(rows), pd.DataFrame(_conclusions(rows)))


def columns(conclusions: pd.DataFrame) -> list[str]:
    """The variations that were tried, in the order they are shown."""
    every = [*METRICS, VALIDATION, *RULES, TUNED, GRID, SEEDS]
    return [name for name in every if name in conclusions and (conclusions[name] != NONE).any()]


# --- contrasts -----------------------------------------------------------------------------------------------------


def _contrasts(study: Study, stopped: Stopped) -> Iterator[dict[str, Any]]:
    cells = cell_of(study.trials)
    for place, family in enumerate(study.families):
        of_family = cells.isin({name for contrast in family.contrasts for name, _ in contrast.sides})
        declared = effects.contrasts(study.trials[of_family], [family])
        for variation, seed, table in _varied(study, place, of_family, stopped):
            for number, (first, row) in enumerate(zip(_rows(declared), _rows(table), strict=True)):
                outcome = of_contrast(first["value"], row["value"], row["low"], row["high"])
                yield {
                    **{"family": family.name, "conclusion": first["label"], "key": f"{family.name}/{number}"},
                    **{"dataset": first["dataset"], "cell": first["cell"], "reference": first["reference"]},
                    **{"variation": variation, "seed": seed, "metric": row["metric"], "value": row["ratio"]},
                    **{"low": row["ratio_low"], "high": row["ratio_high"], "n": row["n"], "p": row["p"]},
                    **{"method": row["method"], "outcome": outcome},
                }


def _varied(
    study: Study, place: int, of_family: pd.Series, stopped: Stopped
) -> Iterator[tuple[str, Any, pd.DataFrame]]:
    """Name, seed left out, and the contrasts of one family, as declared first; on the rows of its own cells alone."""
    family, trials = study.families[place], study.trials[of_family]
    kind = figures.split_of(family.metric)[1]
    yield DECLARED, None, effects.contrasts(trials, [family])
    for name, metric in METRICS.items():
        yield name, None, effects.contrasts(trials, [family], metric)
    yield VALIDATION, None, effects.contrasts(trials, [family], f"val_{kind}")
    curve_kind = kind if kind in ("mse", "fvu") else "mse"  # learning curves hold no other error
    for rule, table in stopped.items():
        yield rule, None, effects.contrasts(table[of_family], [family], f"val_{curve_kind}")
    if study.tuned is not None:
        yield TUNED, None, effects.contrasts(study.tuned.trials, [study.tuned.families[place]])
    for seed in sorted(trials["seed"].unique()):
        yield SEEDS, int(seed), effects.contrasts(trials[trials["seed"] != seed], [family])


# --- chosen sizes --------------------------------------------------------------------------------------------------


def _sizes(study: Study, stopped: Stopped) -> Iterator[dict[str, Any]]:
    varied = list(_sizes_varied(study, stopped))
    declared = varied[0][2]
    for variation, seed, found in varied:
        for (curve, threshold), choice in declared.items():
            again = found.get((curve, threshold))
            yield {
                **{"family": SIZES, "conclusion": f"{curve}: {rule_name(threshold)}", "key": f"{curve}/{threshold}"},
                **{"dataset": curve.split(", ")[0], "cell": curve, "reference": rule_name(threshold)},
                **{"variation": variation, "seed": seed, "metric": "val_fvu", **_ends(again), "p": np.nan},
                "outcome": of_size(choice, again) if again is not None else NONE,
            }


def _sizes_varied(study: Study, stopped: Stopped) -> Iterator[tuple[str, Any, Choices]]:
    trials, points = study.trials, _points(study.trials)
    shares = _shares(points)
    yield DECLARED, None, _choices(shares)
    for rule, table in stopped.items():
        yield rule, None, _choices(_shares(points.assign(val_fvu=table.loc[points.index, "val_fvu"])))
    if study.tuned is not None and all(trials[setting].nunique() == 1 for setting in TUNABLE):
        same = {setting: trials[setting].iloc[0] for setting in TUNABLE}  # else curves would have other names
        yield TUNED, None, _choices(_shares(_points(study.tuned.trials.assign(**same))))
    yield GRID, None, _choices(shares, drop=1)
    for seed in shares.index:
        yield SEEDS, int(seed), _choices(_shares(points[points["seed"] != seed]))


def _points(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials of sizes that no narrow layer caps, with the names of their curves; maybe none."""
    try:
        points, _ = curves(trials[POINT])
    except InputError:  # no cells that differ in latent_dim alone: there is nothing to choose
        return trials[POINT].iloc[:0].assign(curve="")
    return points[~points["excluded"]]


def _shares(points: pd.DataFrame) -> pd.DataFrame:
    """Seeds × (curve, size): the error as a share of the mean image's, which is `val_fvu` itself: no images needed."""
    table = points.assign(val_fvu=counted(points, "val_fvu"))
    return table.pivot(index="seed", columns=["curve", "latent_dim"], values="val_fvu")


def _choices(shares: pd.DataFrame, drop: int = 0) -> Choices:
    """Curve and threshold → the size chosen on validation images; the last `drop` sizes of each grid left out."""
    known = shares.dropna(axis=1, how="all").sort_index(axis=1)
    table = known.to_numpy()
    found: Choices = {}
    for sizes, curves_ in _grids(known, drop).items():
        places = np.array(list(curves_.values()))
        for threshold in THRESHOLDS:
            chosen = chosen_sizes(table[:, places], sizes, threshold)
            found |= {(curve, threshold): choice for curve, choice in zip(curves_, chosen, strict=True)}
    names = dict.fromkeys(map(str, known.columns.get_level_values("curve")))
    keys = [(curve, threshold) for curve in names for threshold in THRESHOLDS]
    return {key: found[key] for key in keys if key in found}


def _grids(known: pd.DataFrame, drop: int) -> dict[tuple[int, ...], dict[str, list[int]]]:
    """The sizes of a grid → its curves → the columns where these sizes are: curves of one grid are judged together."""
    columns_: dict[str, list[tuple[int, int]]] = {}
    for place, (curve, size) in enumerate(known.columns):
        columns_.setdefault(str(curve), []).append((int(size), place))
    grids: dict[tuple[int, ...], dict[str, list[int]]] = {}
    for curve, both in columns_.items():
        if kept := both[: len(both) - drop]:
            sizes, places = zip(*kept, strict=True)
            grids.setdefault(sizes, {})[curve] = list(places)
    return grids


def _ends(choice: ChosenSize | None) -> dict[str, Any]:
    if choice is None:
        return {"value": np.nan, "low": np.nan, "high": np.nan, "n": 0, "method": ""}
    ends = {name: getattr(choice, name) for name in ("value", "low", "high")}
    return {**{name: np.nan if end is None else end for name, end in ends.items()}, "n": choice.n,
            "method": choice.method}  # fmt: skip


# --- conclusions ---------------------------------------------------------------------------------------------------


def _conclusions(variations: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    parts: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in variations:
        parts.setdefault((row["family"], row["key"]), []).append(row)
    return [_conclusion(part) for part in parts.values()]


def _conclusion(part: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = next(row for row in part if row["variation"] == DECLARED)
    found: dict[str, list[str]] = {row["variation"]: [] for row in part if row is not first}
    for row in part:
        if row is not first:
            found[row["variation"]].append(row["outcome"])
    outcomes = {name: worst(these) for name, these in found.items()}
    there = [outcome for outcome in outcomes.values() if outcome != NONE]
    same = ("family", "conclusion", "dataset", "cell", "reference", "value", "low", "high", "n", "metric", "method")
    return {
        **{name: first[name] for name in same},
        "resolved": first["outcome"] == OUTCOMES[0],
        **outcomes,
        **{"applicable": len(there), "same": sum(outcome in OUTCOMES[:2] for outcome in there)},
        "kept": there.count(OUTCOMES[0]),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")
