"""Methods and limits: data, splits, seeds, statistics, machine and versions, from the manifest and the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis import cite_statistics
from analysis.command import span
from analysis.report import frame
from analysis.report.bibliography import DATASETS, cite
from analysis.report.blocks import Block, Bullets, Gap, Heading, Paragraph, Span, Table, Text, bullets, paragraph, plain
from analysis.report.evidence import Analysis, Evidence
from analysis.statistics import SEEDS_FOR_FLIPS, smallest_p
from study import files, records
from study.space import cell_name

VALIDATION = 6  # the share of the pool that each of `val` and `heldout` takes is one in so many


def methods(evidence: Sequence[Evidence], artifacts: str, noted: bool = False) -> list[Block]:
    """How everything was done, a study at a time where studies differ.

    Args:
        evidence: Of each study.
        artifacts: Where the studies lie.
        noted: The author has written a note on methods, in which data sets of one's own can be described.
    """
    notices = [text for one in evidence for text in records.notices(one.study, artifacts)]
    return [
        Heading(3, "Data and splits", "methods-data"),
        _data(evidence),
        paragraph(
            "Each seed draws validation images, and as many held-out images, from the training pool of N images: "
            f"min(N/{VALIDATION}, 10,000) each; the network trains on the rest, or on its first train_size images "
            "where a cell sets this factor. Validation images choose the epoch whose weights are kept, and whatever "
            "else is chosen. Held-out images serve the question of memorisation alone. Test images are the data set's "
            "own and choose nothing. Pixels lie in [0, 1]."
        ),
        *_held_up(evidence),
        *([] if noted else _unknown(evidence)),
        Heading(3, "Studies and seeds", "methods-studies"),
        *[block for one in evidence for block in _study(one)],
        paragraph(
            "A trial is one cell (one combination of levels) trained with one seed, which fixes initial weights, batch "
            "order and the draw of images. Cells are compared in pairs of the same seed. A trial that failed is data, "
            "and counted as such."
        ),
        Heading(3, "Statistics", "methods-statistics"),
        *_statistics(),
        Heading(3, "Machine and versions", "methods-machine"),
        *[block for one in evidence for block in _machine(one)],
        *([bullets(notices)] if notices else []),
        *cited("Software", ["abadi2015", "omalley2019", "pedregosa2011"]),
    ]


def limits(evidence: Sequence[Evidence]) -> list[Block]:
    """What these results cannot carry, and what was not done."""
    return [bullets([*(text for one in evidence for text in _limits(one)), *_always()]), *_undone(evidence)]


def data_sources(evidence: Sequence[Evidence]) -> list[str]:
    """The keys of the sources of the data sets that the studies were trained on, of those that are known."""
    return [DATASETS[name][0] for name in _datasets(evidence) if name in DATASETS]


def cited(what: str, keys: Sequence[str]) -> list[Block]:
    """A line of references; none where there are none."""
    known = [cite(key) for key in dict.fromkeys(keys) if key]
    between = [part for span in known for part in ("; ", span)][1:]
    return [paragraph(f"{what}: ", *between, ".", small=True)] if known else []


def _always() -> list[str]:
    return [
        "An interval says how far other seeds may move a number: other initial weights, batch orders and draws of "
        "training images. It says nothing of other data sets, image sizes or training lengths.",
        "Only contrasts of a declared family are tested with errors controlled; everything else is descriptive, and "
        "its intervals hold singly.",
        "«Not resolved» means that the data are compatible with no difference and with a difference either way; it is "
        "no evidence of equality unless an equivalence test says so.",
        "Explanations are consistent with the measurement beside them; another cause with the same consequence is not "
        "ruled out.",
    ]


def _limits(evidence: Evidence) -> Iterator[str]:
    space, planned = evidence.manifest["space"], evidence.manifest["space"]["training"]["seeds"]
    seeds = _least_seeds(evidence)
    if 0 < seeds < SEEDS_FOR_FLIPS:
        yield (
            f"{evidence.study}: with {seeds} seeds the smallest two-sided p of a sign-flip test is "
            f"{smallest_p(seeds):.3g}; whatever is smaller assumes that differences are normal."
        )
    settings = "one learning rate and batch size, unless these are what is compared"
    if space.get("tuned"):
        settings = "learning rates and batch sizes chosen beforehand on seeds of their own"
    epochs = space["training"]["epochs"]
    yield (
        f"{evidence.study}: all networks train for {epochs} epochs with {settings}; other settings may favour another "
        "network."
    )
    counts = Counter(record["status"] for record in evidence.trials)
    total, done = len(evidence.manifest["cells"]) * planned, counts["completed"]
    if done < total:
        words = ", ".join(f"{count} {status}" for status, count in counts.items() if status != "completed")
        yield f"{evidence.study}: {done} of {total} trials completed{f' ({words})' if words else ''}."


def _least_seeds(evidence: Evidence) -> int:
    """The fewest seeds that a cell completed, of those that completed any and let the seed decide everything."""
    done = [record for record in evidence.trials if record["status"] == "completed"]
    cells = Counter(cell_name(record["cell"]) for record in done if record["cell"]["randomness"] == "all")
    return min(cells.values(), default=0)


def _data(evidence: Sequence[Evidence]) -> Table:
    rows = []
    for name, data in _datasets(evidence).items():
        pool, test = data.get("sizes", ("–", "–"))
        shape = "×".join(map(str, data["shape"]))
        rows.append((*_cells(name), _what(name), *_cells(shape, _count(pool), _count(test), data["source"])))
    header = ("data set", "what it holds", "height×width×channels", "pool", "test", "read from")
    return Table("Data sets, with the numbers of images", header, tuple(rows), frozenset({3, 4}))


def _what(name: str) -> Text:
    key, what = DATASETS.get(name, ("", ""))
    return plain(f"{what} (", cite(key), ")") if key else plain("–")


def _held_up(evidence: Sequence[Evidence]) -> Iterator[Block]:
    """The data sets that no network was trained on and that stand for anomalies alone."""
    names = {row["set"]: None for one in evidence for path in _inputs(one) for row in cite_statistics.rows_of(path)}
    others = [name for name in names if name in DATASETS and name not in _datasets(evidence)]
    parts = [piece for name in others for piece in (Span("; "), Span(name, "code"), Span(", "), *_what(name))][1:]
    if parts:
        yield paragraph("Only held up as anomalies: ", *parts, ".")


def _inputs(evidence: Evidence) -> list[Path]:
    """The tables of what anomaly detection was tried on."""
    folder = evidence.folder / "analysis" / "anomaly"
    return [path for path in files.tables(folder, "**/inputs.csv")] if folder.is_dir() else []


def _unknown(evidence: Sequence[Evidence]) -> Iterator[Block]:
    """One's own data sets, of which only their author knows what they hold."""
    if names := [name for name in _datasets(evidence) if name not in DATASETS]:
        what = f"what {', '.join(names)} holds and where it is from (notes/methods.md)"
        yield paragraph(Span(f"to be filled in: {what}", "fill"))


def _undone(evidence: Sequence[Evidence]) -> Iterator[Block]:
    """What analyses left out or found not yet run, once a study, with the command that does it."""
    found: dict[tuple[str, str], list[Analysis]] = {}
    for one in evidence:
        for analysis in one.analyses:
            for sentence in analysis.undone:
                found.setdefault((one.study, sentence), []).append(analysis)
    items = []
    for (study, sentence), whose in found.items():
        begins = Span(f"{study}, {', '.join(analysis.place for analysis in whose)}: ")
        items.append((Paragraph((begins, *frame.said(sentence, whose[0]).text), small=True),))
    if items:
        yield paragraph("Not done, and how it would be:")
        yield Bullets(tuple(items))


def _datasets(evidence: Sequence[Evidence]) -> dict[str, dict[str, Any]]:
    return {name: data for one in evidence for name, data in one.manifest["data"].items()}


def _study(evidence: Evidence) -> Iterator[Block]:
    space, cells = evidence.manifest["space"], evidence.manifest["cells"]
    training = space["training"]
    counts = Counter(record["status"] for record in evidence.trials)
    said = ", ".join(f"{counts[status]} {status}" for status in records.STATUSES if counts[status]) or "none yet"
    yield paragraph(
        Span(evidence.study, strong=True),
        f": {len(cells)} cells, {_seeds(evidence)}, {training['epochs']} epochs; trials: {said}. The baseline: ",
        Span(_levels(space["baseline"]), "code"),
        ". Around it, everything else at the baseline:",
    )
    rows = [
        _cells(name, "; ".join(f"{factor}: {', '.join(map(str, levels))}" for factor, levels in block.items()))
        for name, block in space["blocks"].items()
    ]
    if rows:
        yield Table(f"Blocks of {evidence.study}: all combinations of the levels", ("block", "levels"), tuple(rows))
    families = [
        _cells(name, family["metric"], str(len(family["contrasts"]))) for name, family in space["families"].items()
    ]
    if families:
        yield Table(
            f"Families of {evidence.study}, declared beforehand: the comparisons that claims are made of",
            ("family", "primary metric", "contrasts"), tuple(families), frozenset({2}),
        )  # fmt: skip


def _seeds(evidence: Evidence) -> str:
    """The seeds that were planned, and where these are others those that any trial was run with."""
    training = evidence.manifest["space"]["training"]
    first, ran = training.get("first_seed", 0), {int(record["seed"]) for record in evidence.trials}
    planned = range(first, first + training["seeds"])
    if ran == set(planned):
        return f"{len(planned)} seeds ({span(planned)})"
    return f"{len(planned)} seeds planned, {len(ran)} run{f' ({span(ran)})' if ran else ''}"


def _statistics() -> list[Block]:
    return [
        paragraph(
            "Across seeds: means with 95 % t intervals (", cite("student1908"), "), of logarithms where errors are "
            "compared, so that differences read as ratios. The test images are one set, the same for every seed: such "
            "intervals hold for these images. Proportions have exact binomial intervals (",
            cite("clopper1934"), "). Areas under ROC curves hold for new seeds and new images at once (",
            cite("delong1988"), "; degrees of freedom after ", cite("satterthwaite1946"), ").",
        ),
        paragraph(
            f"Within a family, errors are controlled together. From {SEEDS_FOR_FLIPS} seeds on: joint sign flips of "
            "the largest |t| (", cite("westfall1993"), "; ", cite("phipson2010"), "), with simultaneous intervals. "
            "With fewer seeds: paired t, p and simultaneous intervals by Bonferroni, which assume normal differences. "
            "In either case p is below 0.05 exactly where the interval holds no 1. Equivalence is shown by two "
            "one-sided tests (", cite("schuirmann1987"), "), of several cells after ", cite("holm1979"), ".",
        ),
    ]  # fmt: skip


def _machine(evidence: Evidence) -> Iterator[Block]:
    found: dict[str, dict[str, set[str]]] = {}
    for record in evidence.trials:
        key = records.environment_key(record["environment"])
        for name, value in _environment(record).items():
            found.setdefault(key, {}).setdefault(name, set()).add(str(value))
    if not found:
        yield Gap(f"{evidence.study} has no record yet.", f"python -m study.search {evidence.study}")
    for place, values in enumerate(found.values(), 1):
        which = f", environment {place} of {len(found)}" if len(found) > 1 else ""
        rows = tuple(_cells(name, ", ".join(sorted(words))) for name, words in values.items())
        yield Table(f"What the records of {evidence.study} were made with{which}", ("what", "which"), rows)


def _environment(record: Mapping[str, Any]) -> dict[str, Any]:
    environment, noted = record["environment"], record.get("noted", {})
    versions = {**environment.get("libraries", {}), **{k: noted[k] for k in ("keras_tuner", "python") if k in noted}}
    return {
        "processor": environment.get("cpu"),
        "accelerator": environment.get("gpu") or "none",
        "system": environment.get("system"),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "backend": environment.get("backend"),
        "commit": noted.get("commit") or "unknown",
        "trained on": str(noted.get("time", "unknown"))[:10],
    }


def _levels(cell: Mapping[str, Any]) -> str:
    return ", ".join(f"{factor}={level}" for factor, level in cell.items() if level is not None)


def _cells(*words: str) -> tuple[Text, ...]:
    return tuple(plain(word) for word in words)


def _count(number: Any) -> str:
    return f"{number:,}" if isinstance(number, int) else str(number)
