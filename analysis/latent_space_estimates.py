"""The measures of codes over seeds, beside PCA's at the same size; and the codes themselves, for the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.applications import Results
from analysis.draws import DRAW
from analysis.effects_contrasts import cell_of
from analysis.latent_space_bench import MAJORITY, MEASURES, PCA, PIXELS
from analysis.latent_space_measures import principal
from analysis.statistics import Estimate, paired_t, t_interval
from study.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from study.datasets import Dataset

DRAWN = 400  # codes a picture, at most
NO_LABEL = -1


@dataclass(frozen=True)
class Estimates:
    """All the numbers.

    Attributes:
        cells: A row a cell and measure: `value`, `low`, `high`; PCA's `pca`, `pca_low`, `pca_high`; `difference`,
            `difference_low`, `difference_high`, `p`; `n` seeds, `classes`, `n_images`.
        references: A row a data set and rule that needs no codes: `class_error` with `low`, `high`, `n`.
        points: A row a trial: its measures and those of PCA (`pca_…`).
        codes: A row an image drawn, of the lowest seed: `panel` (a cell, or PCA of a size), `image`, `label`, `x`, `y`
            (NaN at size 1), `x_share`, `y_share` (of the codes' variance, above size 2).
    """

    cells: pd.DataFrame
    references: pd.DataFrame
    points: pd.DataFrame
    codes: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """File name → table."""
        return {name: getattr(self, name) for name in ("cells", "references", "points", "codes")}


def estimate(results: Sequence[Results]) -> Estimates:
    """All the numbers of the cells that were evaluated, one result a cell."""
    import pandas as pd

    models = pd.concat([found.models for found in results], ignore_index=True).assign(cell=lambda table: cell_of(table))
    baselines = pd.concat([found.baselines for found in results]).drop_duplicates(["file", "method", "size"])
    points = _points(models, baselines)
    return Estimates(
        pd.DataFrame([row for _, part in points.groupby("cell", sort=False) for row in _measures(part)]),
        pd.DataFrame([row for _, part in baselines.groupby("dataset", sort=False) for row in _references(part)]),
        points,
        pd.concat([table for found in results for table in _codes(found)], ignore_index=True).drop_duplicates(
            ["dataset", "panel", "image"]
        ),
    )


def _points(models: pd.DataFrame, baselines: pd.DataFrame) -> pd.DataFrame:
    """A row a trial, with the measures of PCA of its size on the same images."""
    names = [name for name in MEASURES if name in models]
    keys = [*DRAW, "seed"]
    plain = [table.assign(**{key: table[key].map(_word) for key in DRAW}) for table in (models, baselines)]
    of_pca = plain[1][plain[1]["method"] == PCA].reindex(columns=[*keys, "size", *names])
    of_pca = of_pca.rename(columns={"size": "latent_dim", **{name: f"pca_{name}" for name in names}})
    kept = [*keys, "latent_dim", "cell", "trial", "architecture", "loss", *names]
    counts = [name for name in ("n_images", "classes") if name in models]
    return plain[0][[*kept, *counts]].merge(of_pca, on=[*keys, "latent_dim"], how="left")


def _word(level: Any) -> str:
    return "–" if level is None or level != level else str(int(level)) if isinstance(level, float) else str(level)


def _measures(part: pd.DataFrame) -> Iterator[dict[str, Any]]:
    first = part.iloc[0]
    for name, (words, direction) in MEASURES.items():
        if name not in part or part[name].isna().all():
            continue
        both = part[[name, f"pca_{name}"]].astype(float)
        network, pca = (_interval(both[column].dropna(), name) for column in both)
        paired = paired_t((both[name] - both[f"pca_{name}"]).dropna())
        yield {
            **{"dataset": first["dataset"], "cell": first["cell"], "latent_dim": first["latent_dim"]},
            **{"measure": name, "words": words, "direction": direction},
            **{"value": network.value, "low": network.low, "high": network.high},
            **{"pca": pca.value, "pca_low": pca.low, "pca_high": pca.high},
            **{"difference": paired.value, "difference_low": paired.low, "difference_high": paired.high},
            **{"p": paired.p, "n": network.n, "n_images": int(first["n_images"])},
            **{"classes": first.get("classes", np.nan), "method": network.method},
        }


def _interval(values: pd.Series, name: str) -> Estimate:
    """The mean with its t interval; of the variance kept by way of the log of what is lost, so that it ends below 1."""
    if name != "variance_kept":
        return t_interval(values)
    lost = t_interval(np.log1p(-values))
    value, low, high = (float(-np.expm1(end)) for end in (lost.value, lost.high, lost.low))
    words = f"1 less the geometric mean of the share that is lost, {lost.method.partition(', ')[2]} of its log"
    return replace(lost, value=value, low=low, high=high, method=words)


def _references(baselines: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for method in (PIXELS, MAJORITY):
        rows = baselines[baselines["method"] == method]
        if len(rows):
            found = t_interval(rows["class_error"].astype(float))
            yield {
                **{"dataset": rows["dataset"].iloc[0], "rule": method, "class_error": found.value},
                **{"low": found.low, "high": found.high, "n": found.n, "method": found.method},
            }


def _codes(found: Results) -> Iterator[pd.DataFrame]:
    """The codes of the lowest seed of a cell, and of PCA on the same draw."""
    first = found.models.sort_values("seed", kind="stable").iloc[0]
    size, dataset = int(first["latent_dim"]), str(first["dataset"])
    cached = found.per_image(str(first["trial"]))
    cell = str(cell_of(found.models.loc[[first.name]]).iloc[0])
    yield _panel(dataset, cell, size, int(first["seed"]), cached)
    if size <= 2:
        of_seed = found.baselines[found.baselines["seed"] == first["seed"]]
        pca = found.per_image(str(of_seed["file"].iloc[0]))
        yield _panel(dataset, f"PCA, size {size}", size, int(first["seed"]), pca | {"codes": pca["codes"][:, :size]})


def _panel(dataset: str, name: str, size: int, seed: int, cached: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The codes as they are drawn: themselves up to size 2, above it their two principal components."""
    import pandas as pd

    codes = np.asarray(cached["codes"], np.float64)
    flat, shares = principal(codes) if size > 2 else (codes, np.full(2, np.nan))
    drawn = slice(None) if size == 1 else slice(DRAWN)
    return pd.DataFrame(
        {
            **{"dataset": dataset, "panel": name, "latent_dim": size, "seed": seed},
            **{"image": np.arange(len(codes))[drawn], "label": cached["labels"][drawn], "x": flat[drawn, 0]},
            **{"y": flat[drawn, 1] if size > 1 else np.nan, "x_share": shares[0], "y_share": shares[1]},
        }
    )


def stored(
    trials: pd.DataFrame,
    cells: Sequence[str],
    load: Callable[[str], Dataset],
    examples: Callable[[str], Mapping[str, np.ndarray]],
) -> pd.DataFrame:
    """The codes of the 32 images that the lowest seed of each cell has stored: for pictures alone.

    Raises:
        InputError: None of them has stored any.
    """
    import pandas as pd

    completed = trials[trials["status"] == "completed"].assign(cell=lambda table: cell_of(table))
    panels, reasons = [], []
    for cell in cells:
        row = completed[completed["cell"] == cell].sort_values("seed", kind="stable").iloc[0]
        try:
            found = examples(row["trial"])
        except InputError as error:
            reasons.append(error)
            continue
        labels = load(row["dataset"]).y_test
        of_images = np.full(len(found["index"]), NO_LABEL) if labels is None else labels[found["index"]]
        cached = {"codes": found["codes"], "labels": of_images}
        panels.append(_panel(row["dataset"], cell, int(row["latent_dim"]), int(row["seed"]), cached))
    if not panels:
        raise reasons[0]
    return pd.concat(panels, ignore_index=True)


def summarise(codes: pd.DataFrame) -> pd.DataFrame:
    """What there is of stored codes: a row a panel."""
    counts = codes.groupby(["dataset", "panel", "latent_dim", "seed"], sort=False).size()
    return counts.rename("images").reset_index()
