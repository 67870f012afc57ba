"""What may explain an effect, in words, and what became of it when it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.effects_codes import BLACK, EXAMPLES
from analysis.effects_families import Contrast
from analysis.effects_mechanism import AGREES, CONTRADICTS, LEAST, MOST, TO_PCA
from analysis.effects_pca import LINEAR
from analysis.effects_predictions import BY_EFFECT, BY_SIZE, BY_THEOREM, MATCHED, TOGETHER, UNDECIDED
from analysis.effects_words import metric_name, numbers, ratio, seeds
from study.levels import has
from study.space import Space

FOUND = {"lower": "lower", "higher": "higher", "undecided": "not resolved"}
ALONE = {AGREES: "holds", CONTRADICTS: "fails", UNDECIDED: "is not resolved"}
ERROR = {"lower": "less error", "higher": "more error"}
JUDGED = {AGREES: "as predicted", CONTRADICTS: "against the prediction", "undecided": "which decides nothing"}


def explanation(contrast: Contrast, space: Space, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """What may explain the effect, and what would have to be seen if it does.

    A reason is offered for an effect that is resolved, and that it does not predict the opposite of; else what it
    predicts is said as an expectation. Of networks that did not train nothing is, unless all give one image.
    """
    if "collapsed" in rows:
        own = BY_ITSELF.format(metric_name(f"train_{MATCHED[contrast.levels['loss']]}")) if len(rows) > 1 else ""
        return f"{_untrained(contrast, rows['collapsed'])}{own}"
    reason = _reason(contrast, space, rows)
    predicts = "dataset" in contrast.changed or any(row["predicted"] for row in rows.values())
    return f"{_before(next(iter(rows.values())))}{reason}" if rows and predicts else reason


def _untrained(contrast: Contrast, collapsed: Mapping[str, Any]) -> str:
    said = []
    for side, end, (_, levels) in zip(("cell", "reference"), ("", "reference_"), contrast.sides, strict=True):
        share, output = collapsed[f"{side}_value"], collapsed[f"{end}output"]
        if share > MOST and output:
            said.append(_of_one_image(f"{collapsed['n']} networks of the {side}", share, output, levels["loss"]))
        elif share > MOST:
            none = "none of its networks is" if share == 1 else "most of its networks are no"
            said.append(f"The {side} did not train: {none} better than the mean image.")
    return " ".join(said)


def _of_one_image(networks: str, share: float, output: str, loss: str) -> str:
    """A collapse that is not told by being worse than the mean image."""
    same = f"the same {'black ' * (output == BLACK)}image"
    return (
        f"{'All' if share == 1 else 'Most of the'} {networks} give one and {same}, whatever they are shown: they have "
        "equal test errors, although their seeds differ. The mean image, which has less squared error, is a yardstick "
        f"of that alone, and they were {'not ' * (loss != 'mse')}trained on it."
    )


BY_ITSELF = (
    " If they do best at what they were trained on, their {} is lower than the reference's; if it is not, training "
    "stopped short of what their own loss asks for."
)


def _before(row: Mapping[str, Any]) -> str:
    """What is said before a reason that is not offered as an explanation."""
    if row["effect"] == UNDECIDED:
        return "There is no resolved effect to explain. What was to be expected: "
    if _opposed(row):
        return (
            f"There is {ERROR[row['effect']]} than the reference's, where the reason at hand predicts "
            f"{ERROR[row['expected_effect']]}, so that it is not offered as an explanation: "
        )
    return ""


def _opposed(row: Mapping[str, Any]) -> bool:
    """Whether the reason predicts the opposite of a resolved effect."""
    return row["effect"] != UNDECIDED and row["expected_effect"] not in ("", row["effect"])


def _reason(contrast: Contrast, space: Space, rows: Mapping[str, Mapping[str, Any]]) -> str:
    factor = contrast.factors[0]
    old, new = contrast.changed[factor]
    if factor == "latent_dim":
        return _of_size(old, new, rows)
    if factor == "architecture":
        return _of_architecture(space, old, new, rows)
    if factor == "loss":
        known = [MATCHED[loss] for loss in (new, old) if loss in MATCHED]
        if not known:
            return "No common metric is what either loss minimises, so none could refute an explanation."
        return (
            "A network does best at what it is trained on. If that is the reason, on the training images what the new "
            "loss minimises is lower, and what the old one minimises higher: "
            + " and ".join(metric_name(f"train_{kind}") for kind in known)
            + "."
        )
    if factor == "depth":
        by_fit = BY_SKIPS if rows.get("fit", {}).get("predicted") else NO_EXPLANATION
        return f"{GROWTH} larger in the deeper network{AT_THE_END}" if _of_gradients(rows) else by_fit
    return _of_regularizer(old, new) if factor == "regularizer" else EXPLANATIONS.get(factor, NO_EXPLANATION)


NO_EXPLANATION = "No explanation is offered that one of the measurements could refute; they are shown as they are."
GROWTH = (
    "In networks that are normalised over batches and have no skips, gradients at the start of training grow with "
    "every layer on the way back (Yang et al. 2019, arXiv:1902.08129), until deep ones can no longer be trained. If "
    "that is the reason, those at the first kernel are"
)
AT_THE_END = (
    ". Agreement alone would be no proof: these are the gradients of the end of training, where a worse fit may make "
    "them larger, and Adam divides its steps by their size."
)
BY_SKIPS = (
    "Skips are made to let deeper networks go on improving (He et al. 2016, arXiv:1512.03385). If they do, the deeper "
    "network fits the training images themselves better."
)
EXPLANATIONS = {
    "sparse": "The penalty buys silence. If it works as meant, fewer units vary, at the price of a worse fit.",
    "variational": "Holding codes near one distribution costs more than a unit may earn. If so, fewer units vary, and "
    "the training images are fitted worse.",
    "denoising": "It is fitted to noisy images and tested on clean ones, so that more error is to be expected. If that "
    "is the reason, clean training images, which it never saw either, are fitted worse as well.",
    "contractive": "The penalty lets the code move only along directions that the data need. If so, the codes have a "
    "lower effective rank, and the training images are fitted worse.",
    "dataset": "How much of the images' variance a code of one size can hold differs between data sets, whatever the "
    "network. If that is the reason, PCA at the same size, which no training touches, differs the way the networks' "
    "error was seen to (nothing is predicted where that is not resolved); the rest is the network's.",
    "train_size": "Fewer images are easily learnt by heart. If that is the reason, test error ÷ training error rises "
    "as their number falls.",
}  # fmt: skip


def _of_regularizer(old: str, new: str) -> str:
    if old not in EXPLANATIONS:
        return EXPLANATIONS.get(new, NO_EXPLANATION)
    back = f"What {old} does is taken back, so that the reverse of this is predicted: {EXPLANATIONS[old]}"
    if new not in EXPLANATIONS:
        return back
    return f"{EXPLANATIONS[new]} {back} Where the two are opposed, nothing is predicted."


def _of_architecture(space: Space, old: str, new: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    skips = {name: has(space.architectures[name], "skips") for name in (old, new)}
    if skips[new] and not skips[old]:
        return (
            "Its decoder is handed feature maps that never pass the code. If that is the reason, it matters little "
            "whose code it gets: exchanging codes between images raises the error by less."
        )
    if LINEAR in (old, new):
        return OF_LINEAR if "over_pca" in rows else NO_EXPLANATION
    if _of_gradients(rows):
        return f"It has as many parameters as the reference, and skips. {GROWTH} smaller with skips{AT_THE_END}"
    count = rows.get("n_parameters")
    if count is None or count["value"] == 1:
        return NO_EXPLANATION
    more = "more" if count["value"] > 1 else "fewer"
    return (
        f"It has {count['value']:.3g} times the parameters, so {more} to fit with. If that is the reason, the training "
        f"images themselves are fitted {'better' if more == 'more' else 'worse'}.{_in_family(rows)}"
    )


OF_LINEAR = (
    "A network without non-linearities has no less squared error, on the images it is fitted to, than PCA with as many "
    "components as its code has units, whatever its number of parameters (Baldi and Hornik 1989, "
    "doi:10.1016/0893-6080(89)90014-2). If that is the reason, the linear network's test error is PCA's or somewhat "
    "more, and the other network's is less: the gap between the two is what non-linearity buys."
)


def _of_gradients(rows: Mapping[str, Mapping[str, Any]]) -> bool:
    return "gradient_scale" in rows and bool(rows["gradient_scale"]["predicted"])


def _in_family(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Of how many of the family's architectures the number of parameters tells the direction of the error."""
    count = rows["fit"]["compared"] if "fit" in rows else 0
    if not count > 1:
        return ""
    return (
        f" In this family the error moves as the number of parameters would have it in "
        f"{rows['fit']['as_predicted']:.0f} of the {count:.0f} architectures for which its direction is resolved."
    )


def _of_size(old: int, new: int, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """A layer narrower than the code caps it."""
    width = rows.get("narrowest_width")
    held = max(old, new) if width is None else round(min(width["cell_value"], width["reference_value"]))
    beyond = f"so that nothing beyond {held} units can be credited to the code"
    if held <= min(old, new):
        return f"A layer of {held} units is no wider than either code, {beyond}, and nothing is predicted."
    less = "fewer" if new < old else "more"
    vary, cap = f"{less} units vary, ", ""
    if held < max(old, new):
        vary = ""
        cap = f" A layer of {held} units is narrower than the larger code, {beyond}, whether its units vary or not."
    return (
        f"A code with {less} units has {less} directions. If that is the reason, {vary}the codes have a "
        f"{'lower' if new < old else 'higher'} effective rank, the training images themselves are fitted "
        f"{'worse' if new < old else 'better'}, and classes overlap {'more' if new < old else 'less'}.{cap}"
    )


def measured(row: Mapping[str, Any]) -> str:
    """A row of the mechanisms in a sentence."""
    of_two = row["scale"] != "difference"
    against = "PCA's at the same size on the same images" if row["scale"] == TO_PCA else "the reference's"
    few = row["n"] < LEAST
    number = ratio(row["value"]) if few else numbers(dict(row), "value", "low", "high")
    value = f"{number} times {against}" if of_two else f"differs by {number} from {against}"
    images = "" if row["images"] != row["images"] else _images(row)
    means = f"{'geometric ' * of_two}means {row['cell_value']:.3g} and {row['reference_value']:.3g}"
    interval = "too few for an interval" if few else "95 % t interval, single"
    same = row["low"] == row["high"] == (1 if of_two else 0)
    found = "" if few else ": the same in every seed" if same else f": {FOUND[row['found']]}"
    judged = f"; predicted {row['predicted']}: {JUDGED[row['agreement']]}" if row["predicted"] else ""
    name = row["what"][0].upper() + row["what"][1:]
    return f"{name}: {value} ({means}, n = {seeds([row['n']])}{images}, {interval}){found}{judged}."


def _images(row: Mapping[str, Any]) -> str:
    """On how many images, and which, codes were measured."""
    count, other = f"{row['images']:.0f}", f"{row['reference_images']:.0f}"
    unequal = "" if count == other else f", the reference's of {other}"
    hard = row["source"] == EXAMPLES and row["n"] >= LEAST
    worth = ", half of them chosen as hard, which carry no more than a direction" if hard else ""
    return f" of {count} {row['source']} each{unequal}{worth}"


def conclusion(predicted: Sequence[Mapping[str, Any]], resolved: bool) -> str:
    """What is left of an explanation after the rows that could refute it.

    Args:
        predicted: The rows of the mechanisms with a prediction.
        resolved: Whether the interval of the effect itself decides its direction.
    """
    verdicts = [row["agreement"] for row in predicted]
    if not verdicts:
        return "No measurement was predicted here, so that no explanation is tested."
    if not resolved:
        return f"{_counted(verdicts)} There is no resolved effect that this could explain."
    if _opposed(predicted[0]):
        expected, found = (ERROR[predicted[0][name]] for name in ("expected_effect", "effect"))
        return f"{_counted(verdicts)} The reason predicts {expected}, and {found} was found: it explains nothing here."
    return f"{_counted(verdicts)} {_left(predicted)}"


def _counted(verdicts: Sequence[str]) -> str:
    """How many predictions hold or fail."""
    against, for_it, count = verdicts.count(CONTRADICTS), verdicts.count(AGREES), len(verdicts)
    if count == 1:
        return f"The one prediction {ALONE[verdicts[0]]}."
    if against:
        return f"Predictions that fail: {against} of {count}."
    open_ = "" if for_it == count else f"; not resolved: {count - for_it}"
    return f"Predictions that hold: {for_it} of {count}{open_}."


def _left(predicted: Sequence[Mapping[str, Any]]) -> str:
    """What is left of an explanation that the effect allows."""
    verdicts = [row["agreement"] for row in predicted]
    if CONTRADICTS in verdicts:
        return "This is not, or not alone, the reason."
    if UNDECIDED in verdicts:
        return "The explanation stays open."
    others = [row for row in predicted if not row["restates"]]
    if len(others) == len(predicted):
        return f"{'It' if len(predicted) == 1 else 'They'} could have failed, and did not."
    said = [says(rows) for kind, says in NO_TEST.items() if (rows := [r for r in predicted if r["restates"] == kind])]
    if others:
        said.append(f"The other{'s' * (len(others) > 1)} could have failed, and did not.")
    return " ".join(said)


def _by_effect(rows: Sequence[Mapping[str, Any]]) -> str:
    moved = f"{'rise' if rows[0]['effect'] == 'higher' else 'fall'} by more than {100 * TOGETHER:.0f} %"
    return (
        "That of the training error is no test: it follows from the effect itself, since test ÷ training error did not "
        f"{moved}."
    )


def _by_size(rows: Sequence[Mapping[str, Any]]) -> str:
    names = " and ".join(OF_SIZE[row["measurement"]] for row in rows)
    return f"That of {names} is no test: a code of so few units cannot reach the reference's."


OF_SIZE = {"active_units": "the units that vary", "effective_rank": "the effective rank"}
NO_TEST = {
    BY_EFFECT: _by_effect,
    BY_SIZE: _by_size,
    BY_THEOREM: lambda rows: "That of the linear network is no test: on the images it is fitted to, it is a theorem.",
}
