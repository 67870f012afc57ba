"""Goes through the models that the explorer shows, one after the other, and keeps of each what the page needs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import command, explorer_content
from analysis.applications import to_bytes
from analysis.draws import DRAW, Draw, draw_of
from study import datasets, quiet, records
from study.errors import InputError

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from analysis.explorer_models import View

EXAMPLES = 32  # the first images are those of the records: around the median of PCA's error, and of its worst tenth
ENDS = 10  # images that walks join
REMEDY = "Show fewer cells (--cells '*-k8-*'), fewer images (--images 100), or allow more (--limit {})."


@dataclass
class Gathered:
    """What was gathered.

    Attributes:
        models: A row a model on the page: `trial`, factors, `seed`, test error with its interval, `off_grid`,
            `kilobytes`.
        images: A row a model and test image: `trial`, `test_index`, `label`, where its code lies in the plane, scores.
        content: Of the page: "models" in the order of `models`, and "images" by their key.
        missing: In words: models that could not be loaded, each with the command that rebuilds it.
    """

    models: pd.DataFrame
    images: pd.DataFrame
    content: dict[str, Any]
    missing: list[str] = field(default_factory=list)


def gather(trials: pd.DataFrame, chosen: pd.DataFrame, study: str, arguments: argparse.Namespace) -> Gathered:
    """Everything for the page.

    Args:
        trials: All of the study.
        chosen: Those that are shown.
        study: Its name.
        arguments: `artifacts`, `data_dir`, `images`, `limit`.

    Raises:
        InputError: None of the models can be loaded, a data set is not as it was, or the page grows too large.
    """
    import pandas as pd

    manifest = records.manifest(study, arguments.artifacts)
    load = command.loader(manifest, arguments.data_dir)
    progress = _Progress(len(chosen), arguments.limit)
    missing: list[str] = []
    models: dict[str, tuple[dict, dict]] = {}
    images: dict[str, pd.DataFrame] = {}
    sets: dict[str, dict] = {}
    for number, (_, rows) in enumerate(chosen.groupby([*DRAW, "seed"], dropna=False, sort=False)):
        draw = draw_of(rows, load, True, split="test", wanted=arguments.images)
        shared = _Shared(draw, arguments.images)
        for row, shown in _views(rows, shared, study, arguments.artifacts, missing, progress):
            key = f"{draw.cell['dataset']} {number}"
            sets[key] = sets.get(key) or shared.content()
            error = explorer_content.over_seeds(trials, row)
            variant = explorer_content.variant_of(row, manifest["space"]["baseline"])
            content = explorer_content.of_model(row, shown, key, variant, error)
            size = len(json.dumps(content))
            models[row["trial"]] = content, _model_row(row, shown, error, size)
            images[row["trial"]] = shared.table(row["trial"], shown)
            progress.done(size)
    if not models:
        raise InputError(f"no model could be loaded. The first: {missing[0]}")
    order = [trial for trial in chosen["trial"] if trial in models]
    return Gathered(
        pd.DataFrame([models[trial][1] for trial in order]),
        pd.concat([images[trial] for trial in order], ignore_index=True),
        {"models": [models[trial][0] for trial in order], "images": sets},
        missing,
    )


def check_size(size: float, limit: float, what: str = "The page has") -> None:
    """Refuses a page that is too large.

    Raises:
        InputError: More than `limit` megabytes; `size` is in bytes.
    """
    if size > 1e6 * limit:
        remedy = REMEDY.format(int(np.ceil(1.1 * size / 1e6)))
        raise InputError(f"{what} {size / 1e6:.1f} MB; allowed are {limit:g}. {remedy}")


def image_index(draw: Draw, count: int) -> np.ndarray:
    """The test images that are shown, (at most `count`,): first the examples of the records, then a fixed draw."""
    examples = datasets.example_indices(draw.data, EXAMPLES, draw.cell["normal_class"])
    both = np.concatenate([examples, draw.index])
    first = np.sort(np.unique(both, return_index=True)[1])  # where test images are few, examples repeat
    return both[first][:count]


def walk_ends(labels: np.ndarray | None, count: int) -> np.ndarray:
    """Positions of the images that walks join: the first of each class, then the first of the others.

    Args:
        labels: (n,) or None.
        count: n.
    """
    first = [] if labels is None else [int(i) for i in np.unique(labels, return_index=True)[1]][:ENDS]
    others = [position for position in range(count) if position not in first]
    return np.array([*first, *others[: ENDS - len(first)]])


class _Shared:
    """The test images that the models of one draw share."""

    def __init__(self, draw: Draw, count: int) -> None:
        self.index = image_index(draw, count)
        self.images = datasets.to_unit(draw.data.x_test[self.index], draw.data.value_range)
        self.labels = None if draw.data.y_test is None else draw.data.y_test[self.index]
        self.ends = walk_ends(self.labels, len(self.index))
        self.train = draw.train

    def content(self) -> dict[str, Any]:
        return explorer_content.of_images(to_bytes(self.images), self.index, self.labels, self.ends)

    def table(self, trial: str, shown: View) -> pd.DataFrame:
        import pandas as pd

        label = self.labels if self.labels is not None else ""
        places = {f"place_{axis + 1}": place for axis, place in enumerate(shown.places.T)}
        return pd.DataFrame({"trial": trial, "test_index": self.index, "label": label, **places, **shown.scores})


def _views(
    rows: pd.DataFrame, shared: _Shared, study: str, artifacts: str, missing: list[str], progress: _Progress
) -> Iterator[tuple[pd.Series, View]]:
    """The trials of one draw with what is shown of their models; why one is not goes to `missing`."""
    from analysis import explorer_models

    keras = quiet.keras()
    for _, row in rows.iterrows():
        progress.say(row["trial"])
        try:
            model = records.load_model(study, row["trial"], artifacts)
        except InputError as error:
            missing.append(f"{row['trial']} is not shown: {error}")
            continue
        yield row, explorer_models.view(model, shared.images, shared.ends, shared.train)
        del model
        keras.backend.clear_session()


def _model_row(row: pd.Series, shown: View, error: dict[str, Any], size: int) -> dict[str, Any]:
    levels = {name: row[name] for name in ("trial", *records.FACTORS, "seed", "n_parameters", "test_mse")}
    mean, largest = shown.off_grid
    return {
        **levels,
        **{"mean": error["value"], "low": error["low"], "high": error["high"], "n": error["n"]},
        **{"method": error["method"], "off_grid": mean, "off_grid_largest": largest},
        "kilobytes": round(size / 1e3, 1),
    }


class _Progress:
    """A line on standard error for each model, with the size so far and the time left; stops a page too large."""

    def __init__(self, total: int, limit: float) -> None:
        self._total, self._limit, self._seen, self._done, self._size = total, limit, 0, 0, 0
        self._began = time.monotonic()

    def say(self, trial: str) -> None:
        seconds = (time.monotonic() - self._began) / max(self._seen, 1) * (self._total - self._seen)
        left = f", about {seconds / 60:.1f} min left" if self._seen else ""
        self._seen += 1
        print(
            f"explorer: {self._seen}/{self._total} {trial}, {self._size / 1e6:.1f} MB so far{left}",
            file=sys.stderr,
            flush=True,
        )

    def done(self, size: int) -> None:
        self._done, self._size = self._done + 1, self._size + size
        if self._size > 1e6 * self._limit:
            whole = self._size / self._done * self._total
            check_size(whole, self._limit, "The page would have about")
