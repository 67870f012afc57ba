"""The sentences and captions of generation, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import TYPE_CHECKING, Any

from analysis import figures
from analysis.command import span
from analysis.draws import images_of
from analysis.generation_bench import PCA_MIXTURE, PRIMARY
from analysis.generation_distances import LEAST_A_FEATURE
from analysis.generation_estimates import MEMORY, floor_of
from analysis.generation_samplers import INTERPOLATION, MIXTURE, STANDARD

if TYPE_CHECKING:
    import pandas as pd

    from analysis.generation_estimates import Estimates

SHARES = ("precision", "recall", "density", "coverage")
NAMED = 3  # cells that a sentence names with their numbers; a fourth too, rather than "and 1 more"
COLUMNS = ["cell", "sampler", PRIMARY, "baseline", "floor", "difference", "low", "high", "p", "n", "verdict"]
WORDS = {"lower": "nearer to real images than the PCA mixture's", "higher": "farther from real images than the PCA "
         "mixture's"}  # fmt: skip
MAIN = "the Gaussian mixture, or for a variational model its prior"


def note(estimates: Estimates) -> str:
    """What stands under the table."""
    method = estimates.contrast["method"].iloc[0]
    return (
        f"{PRIMARY}: of the cell at its main sampler ({MAIN}), lower is better; baseline: the PCA mixture's; floor: "
        f"real images'; means over seeds. difference: {PRIMARY} less baseline, paired by seed; {method}"
    )


def sentences(estimates: Estimates, split: str) -> list[str]:
    """What may be cited."""
    said: list[str] = []
    for dataset, contrast in estimates.contrast.groupby("dataset", sort=False):
        metrics = estimates.metrics[estimates.metrics["dataset"] == dataset]
        models = metrics[metrics["kind"] == "model"]
        main, others = models[models["main"]], metrics[metrics["kind"] == "baseline"]
        texts = [
            *_features(estimates.features[estimates.features["dataset"] == dataset], split),
            *_contrast(contrast, split),
            *_without(others, split),
            *_samplers(models, split),
            *_priors(models, split),
            _shares(main, others),
            _sorted_by(main, others),
            _memory(main, others, contrast),
            _frechet(main, others),
        ]
        said += [f"{dataset}, generation: {text}" for text in texts]
    return said


def caption(estimates: Estimates, dataset: str, split: str) -> str:
    """What stands under the figure of numbers."""
    metrics = estimates.metrics[(estimates.metrics["dataset"] == dataset) & (estimates.metrics["metric"] == PRIMARY)]
    features = estimates.features[estimates.features["dataset"] == dataset]
    kinds = " or ".join(f"{row['feature_size']} features ({row['features']})" for row in features.to_dict("records"))
    models, others = (metrics[metrics["kind"] == kind] for kind in ("model", "baseline"))
    across = ", across the rows of the cells on the same data" if others["cell"].nunique() > 1 else ""
    return (
        f"{dataset}: decoded draws from the latent space against {_same(models, split)}, in {kinds}. Left: kernel "
        f"distance of each sampler, mean over n = {span(metrics['n'])} seeds; the filled black mark is the main "
        f"sampler ({MAIN}), with its 95 % t interval; lines: the PCA mixture, and real images in the place of "
        f"generated ones{across}. Right: shares at the main sampler, mean and 95 % t interval. Intervals: "
        f"{images_of([split])}; drawn as far as a distance or a share can go."
    )


def _same(models: pd.DataFrame, split: str) -> str:
    """The real images that cells are held against, which are the same for all that are trained on the same data."""
    least, most = int(models["n_images"].min()), int(models["n_images"].max())
    images = f"real {figures.SPLITS[split]} images"
    return f"the same {most:,} {images}" if least == most else f"{least:,} to {most:,} {images} of each cell's own data"


def _features(rows: pd.DataFrame, split: str) -> Iterator[str]:
    """What images are compared by; of a data set with classes, PCA where its images are preprocessed (`of_draw`)."""
    without, with_it = (f" of cells {how} preprocessing" if len(rows) > 1 else "" for how in ("without", "with"))
    for row in rows.to_dict("records"):
        if row["features"] == "classifier":
            yield (
                f"images{without} are compared by {row['feature_size']} features of a classifier trained on the same "
                f"data, test accuracy {row['accuracy']:.4f} [{row['accuracy_low']:.4f}, {row['accuracy_high']:.4f}] "
                f"(n = {row['accuracy_n']:,.0f} images, exact binomial interval; weights {row['weights']})."
            )
        else:
            components = f"{row['feature_size']} principal components of the training images, whitened"
            yield f"images{with_it} are compared by {components}."


def _contrast(rows: pd.DataFrame, split: str) -> Iterator[str]:
    first = rows.iloc[0]
    for verdict, words in WORDS.items():
        if len(some := rows[rows["verdict"] == verdict]):
            yield (
                f"at the main sampler ({MAIN}) the images of {len(some)} of {len(rows)} cells are {words}: "
                f"{_named(some)} (kernel distance against {first['n_images']:,} {figures.SPLITS[split]} images, "
                f"difference paired by seed, n = {span(some['n'])} seeds; {first['method']})."
            )
    if len(rest := rows[~rows["verdict"].isin(WORDS)]):
        yield (
            f"{len(rest)} of {len(rows)} cells against the PCA mixture: {rest['verdict'].iloc[0]}: {_named(rest)} "
            f"(n = {span(rest['n'])} seeds; {first['method']}){_every_seed(rest)}."
        )


def _every_seed(rows: pd.DataFrame) -> str:
    """Of cells that are not told apart from the PCA mixture those whose seeds all lie on one side of it."""
    parts = []
    for column, words in (("seeds_farther", "farther"), ("seeds_nearer", "nearer")):
        same = rows.loc[(rows[column] == rows["n"]) & (rows["n"] > 1), "cell"]
        if len(same):
            shown = same[: _count(same)]
            parts.append(f"; {words} in every seed, though not resolved: {', '.join(shown)}{_more(same, '')}")
    return "".join(parts)


def _named(rows: pd.DataFrame) -> str:
    shown = [
        f"{row['cell']} {row[PRIMARY]:.3g} against {row['baseline']:.3g}, difference {row['difference']:.3g} "
        f"[{row['low']:.3g}, {row['high']:.3g}]"
        for row in rows.to_dict("records")[: _count(rows)]
    ]
    return "; ".join(shown) + _more(rows)


def _count(rows: Sized) -> int:
    """How many of some rows a sentence names."""
    return len(rows) if len(rows) <= NAMED + 1 else NAMED


def _more(rows: Sized, where: str = " in contrast.csv") -> str:
    """How many it does not, and where they are."""
    left = len(rows) - _count(rows)
    return f" and {left} more{where}" if left else ""


def _without(others: pd.DataFrame, split: str) -> Iterator[str]:
    """What methods without an autoencoder come to; a draw of images each."""
    for draw, of_draw in others.groupby("cell", sort=False):
        rows = of_draw[of_draw["metric"] == PRIMARY]
        parts = [f"{row['sampler']} {with_interval(row)}" for row in rows.to_dict("records")]
        yield (
            f"kernel distance without an autoencoder, on {_images(str(draw))}: {'; '.join(parts)} (t intervals over "
            f"n = {span(rows['n'])} seeds, {images_of([split])}); {_floor(rows)}."
        )


def _images(draw: str) -> str:
    """The images of a draw, by the name of its baselines' files."""
    return draw.removeprefix("baselines-").removeprefix("dataset-")


def _floor(rows: pd.DataFrame) -> str:
    """What real images in the place of generated ones stand for; they may be farther off than what is generated."""
    values = dict(zip(rows["sampler"], rows["value"], strict=True))
    floor = floor_of(values)
    if values[floor] > values[PCA_MIXTURE]:
        return (
            f"the {floor} themselves are farther from the evaluated images than the PCA mixture's draws, so that no "
            "floor is known"
        )
    return "real images in the place of generated ones are the floor"


def _samplers(models: pd.DataFrame, split: str) -> Iterator[str]:
    """In how many cells each sampler has the least mean kernel distance; descriptive.

    Not interpolation, which begins from the evaluated images themselves.
    """
    rows = models[(models["metric"] == PRIMARY) & (models["sampler"] != INTERPOLATION)]
    least = rows.loc[rows.groupby("cell", sort=False)["value"].idxmin()]
    counts = least["sampler"].value_counts()
    best = least.loc[least["value"].idxmin()]
    yield (
        f"of the samplers but interpolation, which begins from evaluated images, the least mean kernel distance has "
        f"{', '.join(f'{s} in {c}' for s, c in counts.items())} of {len(least)} cells; the least of all, "
        f"{best['cell']} by {best['sampler']}, is {with_interval(best)} "
        f"(t interval over n = {best['n']} seeds, {images_of([split])}; descriptive: the least of {len(rows)}, looked "
        "for on the same images)."
    )


def _priors(models: pd.DataFrame, split: str) -> Iterator[str]:
    """What a Gaussian mixture on the codes of a variational cell gives beside its prior; descriptive."""
    rows = models[models["metric"] == PRIMARY]
    priors = rows[rows["main"] & (rows["sampler"] == STANDARD)]
    mixtures = {row["cell"]: row for row in rows[rows["sampler"] == MIXTURE].to_dict("records")}
    if not len(priors):
        return
    parts = [
        f"{row['cell']} {with_interval(mixtures[row['cell']])} instead of {with_interval(row)}"
        for row in priors.to_dict("records")[: _count(priors)]
    ]
    yield (
        "kernel distance of variational cells by a Gaussian mixture on their own training codes instead of the prior: "
        f"{'; '.join(parts)}{_more(priors, ' in metrics.csv')} (t intervals over n = {span(priors['n'])} seeds, "
        f"{images_of([split])}; descriptive). By as much as the mixture is nearer, codes that do not follow the prior "
        "are at fault, not the decoder."
    )


def _shares(main: pd.DataFrame, others: pd.DataFrame) -> str:
    parts = [
        f"{metric} {_range(main, metric)} ({_real(others, metric, PCA_MIXTURE)}; {_real(others, metric)})"
        for metric in SHARES
    ]
    return (
        f"at the main sampler, over cells (in brackets the PCA mixture; other real images): {', '.join(parts)}; means "
        "over seeds."
    )


def _sorted_by(main: pd.DataFrame, others: pd.DataFrame) -> str:
    told, trials = told_apart(main)
    return (
        f"a classifier sorts generated and as many real images, taken together, with an accuracy of "
        f"{_range(main, 'told_apart')} over cells at the main sampler ({guessing(others)}); its exact binomial 95 % "
        f"interval lies above 0.5 in {told} of {trials} trials."
    )


def told_apart(main: pd.DataFrame) -> tuple[int, int]:
    """In how many trials a classifier is shown to tell generated images from real ones, and of how many."""
    shown = main[main["metric"] == "told_apart_shown"]
    return round((shown["value"] * shown["n"]).sum()), int(shown["n"].sum())


def guessing(others: pd.DataFrame) -> str:
    """What an accuracy over generated and real images together is to be held against."""
    return (
        f"0.5 by guessing, {_real(others, 'told_apart', PCA_MIXTURE)} for the PCA mixture's images, "
        f"{_real(others, 'told_apart')} where other real images stand for the generated ones"
    )


def _memory(main: pd.DataFrame, others: pd.DataFrame, contrast: pd.DataFrame) -> str:
    """Whether generated images are nearer to training images than those of the PCA mixture are, which copies none."""
    verdicts = contrast["training_verdict"]
    more, fewer = contrast[verdicts == "higher"], int((verdicts == "lower").sum())
    named = "; ".join(
        f"{row['cell']} {row['training_difference']:.3g} [{row['training_low']:.3g}, {row['training_high']:.3g}]"
        for row in more.to_dict("records")[: _count(more)]
    )
    left = _more(more)
    return (
        f"the nearest real image is a training image rather than one of as many held-out ones for "
        f"{_range(main, MEMORY)} of the generated images over cells at the main sampler, and for "
        f"{_real(others, MEMORY, PCA_MIXTURE)} of the PCA mixture's. The mixture is fitted on training images as well "
        "and copies none: its share, not 0.5, is the reference. A cell's share is greater in "
        f"{len(more)} of {len(contrast)} cells{f' (by {named}{left})' if named else ''}, less in {fewer}, not resolved "
        f"in {len(contrast) - len(more) - fewer} (paired by seed, n = {span(contrast['n'])}; "
        f"{contrast['training_method'].iloc[0]}). The median distance to the nearest training image is "
        f"{_range(main, 'nearest')} over cells, that of held-out images {_range(main, 'nearest_of_heldout')}."
    )


def _frechet(main: pd.DataFrame, others: pd.DataFrame) -> str:
    if not (main.loc[main["metric"] == "frechet_distance", "n"] > 0).any():
        return f"no Fréchet distance: it needs {LEAST_A_FEATURE} images a feature in either set."
    return (
        f"Fréchet distance {_range(main, 'frechet_distance')} over cells at the main sampler, "
        f"{_real(others, 'frechet_distance', PCA_MIXTURE)} for the PCA mixture, "
        f"{_real(others, 'frechet_distance')} for as many other real images."
    )


def with_interval(row: Any) -> str:
    """A mean with its interval."""
    return f"{row['value']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"


def _range(rows: pd.DataFrame, metric: str) -> str:
    values = rows.loc[rows["metric"] == metric, "value"].dropna()
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    return low if low == high else f"{low} to {high}"


def _real(others: pd.DataFrame, metric: str, method: str = "") -> str:
    return _range(others[others["sampler"] == (method or floor_of(others["sampler"]))], metric)
