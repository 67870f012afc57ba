"""Parts of the report by themselves: how to read it, answers at a glance, the original, data sets, what is not done."""

import dataclasses
import json

import pytest

from analysis.citable import Answer
from analysis.report import bibliography, content, evidence, frame, glance, methods, original, reading, sections
from analysis.report.blocks import Bullets, Figure, Form, Paragraph, Span, Table, paragraph, spans
from study import space
from study.errors import InputError
from tests.analysis import report_study
from tests.conftest import pack


@pytest.fixture
def found(tmp_path):
    folder = report_study.write(tmp_path)
    report_study.analyse(folder)
    return evidence.read("tiny", tmp_path)


def words(blocks):
    return "".join(span.text for span in spans(blocks))


def answering(found, *answers):
    (analysis,) = found.analyses
    return dataclasses.replace(found, analyses=[dataclasses.replace(analysis, answers=answers)])


# At a glance


LONG = "It is " + "so " * glance.WORDS
SHORT = "Yes: 0.0211 [0.0187, 0.0235] (n = 3 seeds; t, so)."


@pytest.mark.parametrize(("sentence", "begins"), [
    (SHORT, SHORT),
    (f"{SHORT} Digits, too.", f"{SHORT} Digits, too."),
    (f"{SHORT} {LONG}.", SHORT),
    (f"Yes; of two (n = 4 seeds; all) {LONG}.", "Yes; of two … (n = 4 seeds)"),
    (f"Yes, for 0.5 ([0.4, 0.6], n = 4); less {LONG}.", "Yes, for 0.5 ([0.4, 0.6], n = 4) …"),
    (f"Yes (a; b {LONG})", "Yes …"),
    (f"{LONG} after all.", f"{LONG} after all."),
])  # fmt: skip
def test_an_answer_begins_with_whole_sentences_and_is_cut_in_no_bracket_and_never_loses_its_n(sentence, begins):
    assert glance.beginning(sentence) == begins


def test_a_glance_has_the_beginning_and_the_section_the_whole(found):
    one = answering(found, Answer("latent_elbow", f"{SHORT} {LONG}.", "latent_elbow.digits-4", "curve"))
    chosen = [section for section in sections.SECTIONS if section.id == "latent_elbow"]
    (terms,) = glance.summary([one], chosen)[1:]
    assert words([terms]).endswith(f"{SHORT} [Figure]") and LONG not in words([terms])
    assert [span.target for span in spans([terms]) if span.kind == "section"] == ["latent_elbow"]
    assert words(glance.summary([one, one], chosen)).count("[tiny, Figure]") == 2, "whose, where there are several"
    assert LONG in words(content.blocks(chosen[0], [one]))


def test_an_answer_is_not_repeated_among_the_results_of_its_section(found):
    one = answering(found, Answer("latent_elbow", "That is all.", "latent_elbow.digits-4"))
    by_id = {section.id: section for section in sections.SECTIONS}
    assert words(content.blocks(by_id["latent_elbow"], [one])).count("That is all.") == 1
    assert words(content._results(one.analyses[0], ())).count("That is all.") == 1


# How to read it


def test_every_part_of_a_cells_name_is_in_the_key():
    cell = {**space.DEFAULTS, "dataset": "digits", "architecture": "dense", "latent_dim": 2, "loss": "mse"}
    assert "-".join(reading.part(f, cell[f]) for f in space.REQUIRED) == space.cell_name(cell)
    other = dict(
        regularizer="denoising", depth=4, train_size=2000, normal_class=3, preprocessing="l1_contrast",
        learning_rate=3e-4, batch_size=32, randomness="weights",
    )  # fmt: skip
    assert set(other) == set(space.DEFAULTS) and set(reading.MEANS) == set(space.FACTORS)
    assert space.cell_name({**cell, **other}).endswith("-".join(reading.part(f, level) for f, level in other.items()))


def test_the_key_names_the_factors_that_are_varied_and_the_words_that_are_used(found):
    said, names, used = reading.blocks([found], [paragraph("An AUC of 1, by Kneedle.")])
    assert "digits-dense-k" in words([said]) and "latent size" in words([said])
    assert len(names.rows) == 4, "data set, network, latent size, loss: all else is at its default"
    assert "k2, k4" in words([names])
    assert [row[0][0].text for row in used.rows] == ["a [b, c] (n = d)", "AUC", "Kneedle, one standard error"]
    assert [span.target for span in spans([used]) if span.kind == "cite"] == ["delong1988", "satopaa2011"]
    assert len(reading.WORDS) <= 12 and {w.source for w in reading.WORDS} - {""} <= set(bibliography.entries())


# The original


def test_the_original_has_its_settings_and_its_results_over_seeds(found):
    (table,) = original.blocks([found])
    rows = {row[0][0].text: row[1][0].text for row in table.rows}
    assert table.header == ("what", "tiny") and rows["cell"] == "digits-dense-k2-mse" and rows["n, seeds"] == "3"
    assert rows["epochs"] == "2" and rows["training images"] == "all that are left of a pool of 1,437"
    assert rows["test MSE (lower is better)"] == "0.03000 [0.03000, 0.03000]"
    assert rows["seconds an epoch"] == "not measured"
    (found.folder / "cost.csv").write_text(
        "cell,rounds,epoch_seconds,epoch_seconds_low,epoch_seconds_high\ndigits-dense-k2-mse,3,1.25,1.2,1.5\n"
    )
    assert "1.25 (1.2 to 1.5; n = 3 rounds)" in words(original.blocks([found]))
    pack(found.folder / "cost.csv")
    assert "1.25 (1.2 to 1.5; n = 3 rounds)" in words(original.blocks([found]))


def test_of_several_studies_those_with_the_network_handed_out_are_shown_and_that_it_trains_for_less(found):
    manifest = json.loads(json.dumps(found.manifest))
    manifest["space"]["baseline"]["architecture"] = original.HANDED_OUT
    report_study.analyse(found.folder, "reconstructions", answer=None)
    (seen,) = evidence.read("tiny", found.folder.parent).of("reconstructions")
    pictures = tuple(dataclasses.replace(one, path=one.path.with_stem("digits")) for one in seen.pictures)
    seen = dataclasses.replace(seen, pictures=pictures)
    handed_out = dataclasses.replace(found, study="real", manifest=manifest, analyses=[seen])
    table, shorter, where = original.blocks([found, handed_out])
    assert table.header == ("what", "real")
    assert words([shorter]) == f"The Keras example itself trains for {original.EPOCHS} epochs on all images."
    assert words([where]) == "What it reconstructs, beside them: Figure."


# Data sets, and what is not done


def test_data_sets_are_described_and_cited_and_unknown_ones_asked_for(found):
    sets = {
        name: {"shape": [28, 28, 1], "sizes": [24_000, 4_800], "source": "a file", "hashes": {}}
        for name in ("fashion_mnist_8", "mine")
    }
    one = dataclasses.replace(found, manifest={**found.manifest, "data": sets})
    said = methods.methods([one], str(found.folder.parent))
    table = next(block for block in said if isinstance(block, Table))
    assert "Fashion-MNIST without its classes" in words([table]) and "24,000" in words([table])
    assert "xiao2017" in {span.target for span in spans([table])}
    assert [span.text for span in spans(said) if span.kind == "fill"] == [
        "to be filled in: what mine holds and where it is from (notes/methods.md)"
    ]
    assert not [s for s in spans(methods.methods([one], str(found.folder.parent), noted=True)) if s.kind == "fill"]
    assert methods.data_sources([one]) == ["xiao2017"]


def test_data_sets_that_are_anomalies_alone_are_cited(found):
    folder = found.folder / "analysis" / "anomaly"
    folder.mkdir()
    (folder / "inputs.csv").write_text("set,what\ndigits,own\nphoto_patches,tiles\nnoise,drawn\n")
    (said,) = methods._held_up([found])
    assert words([said]).startswith("Only held up as anomalies: photo_patches, tiles of scikit-learn's two sample")


def test_what_was_not_done_stands_once_under_limits_and_not_among_the_findings(found):
    (analysis,) = found.analyses
    told = "PARTIAL: 3 trials. Run: python -m study.search tiny"
    first = dataclasses.replace(analysis, sentences=("It falls.", told))
    both = dataclasses.replace(found, analyses=[first, dataclasses.replace(first, place="variance")])
    shown = words(content._results(first, ()))
    assert told not in shown and "It falls." in shown
    assert words(methods.limits([both])).endswith(f"how it would be:tiny, latent_elbow, variance: {told}")
    assert "Not done" not in words(methods.limits([found]))


# The cover


def test_the_authors_note_completes_the_attestation(found):
    signature = Figure("note:s.png", found.folder / "s.png", "A signature", ())
    cover = frame.cover([found], "2026-01-01", [Paragraph((Span("A. Student"),)), signature])
    (form,) = [block for block in cover if isinstance(block, Form)]
    assert words([form]).startswith("I, A. Student attest that") and not form.fields and cover[-1] == signature
    assert not [span for span in spans(cover) if span.kind == "fill"]
    (form,) = [b for b in frame.cover([found], "2026-01-01", [paragraph("A. Student")]) if isinstance(b, Form)]
    assert form.fields == ("Signature", "Date")
    assert [span.kind for span in spans([form])].count("fill") == 1, "the signature alone is left"
    with pytest.raises(InputError, match=r"notes/author.md begins with no name"):
        frame.cover([found], "2026-01-01", [Bullets(())])
