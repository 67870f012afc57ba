import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study import manifest, plan, search, space, space_checks
from study.errors import InputError
from study.files import to_json, write_atomically
from study.job import Job
from tests.conftest import ROOT, TINY, environment

LEVELS = dict(
    dataset=st.sampled_from(["digits", "mnist"]),
    architecture=st.sampled_from(["cnn", "dense"]),
    latent_dim=st.integers(1, 20),
    loss=st.sampled_from(["bce", "mse"]),
    regularizer=st.sampled_from(["none", "sparse"]),
    depth=st.one_of(st.none(), st.integers(1, 4)),
    train_size=st.one_of(st.none(), st.integers(1, 40)),
    normal_class=st.one_of(st.none(), st.integers(0, 9)),
    preprocessing=st.sampled_from(["unit", "l1_contrast"]),
    learning_rate=st.sampled_from([1e-3, 3e-4, 1e-2]),
    batch_size=st.sampled_from([32, 128, 1]),
    randomness=st.sampled_from(["all", "weights", "splits"]),
)


def tiny(text: str = TINY) -> space.Space:
    return space_checks.validate(space.parse("tiny", text, "tiny.py"))


def test_quick_is_what_it_says():
    quick = space_checks.validate(space.load("quick"))
    assert len(quick.cells()) == 11 and len(list(quick.trials())) == 33
    assert [task.seed for task in quick.trials()][:12] == [0] * 11 + [1]


def test_names():
    cell = {**space.DEFAULTS, "dataset": "mnist", "architecture": "keras_io", "latent_dim": 2, "loss": "bce"}
    assert space.trial_name(cell, 3) == "mnist-keras_io-k2-bce-s03"
    away = {**cell, "depth": 2, "train_size": 500, "normal_class": 0, "learning_rate": 3e-4, "regularizer": "sparse"}
    assert space.cell_name(away) == "mnist-keras_io-k2-bce-sparse-depth2-n500-class0-lr0.0003"


@settings(max_examples=200)
@given(one=st.fixed_dictionaries(LEVELS), other=st.fixed_dictionaries(LEVELS))
def test_a_name_stands_for_one_cell(one, other):
    assert (space.cell_name(one) == space.cell_name(other)) == (one == other)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("latent_dim=2", "latents=2", "unknown factor 'latents'"),
        ("latent_dim=2", "latent_dim=0", "latent_dim=0; allowed is a whole number of at least 1"),
        ("latent_dim=2,", "", "BASELINE has no latent_dim"),
        ('"dense"', '"lenet"', "unknown architecture 'lenet'; allowed: keras_io, cnn, deep_cnn, dense, linear,"),
        ('dataset="digits"', "dataset=5", "dataset=5; allowed is a name of letters"),
        ("train_size=200", 'learning_rate="x"', "learning_rate='x'; allowed is a finite number over 0"),
        ('loss="mse"', 'loss="l1"', "unknown loss 'l1'; allowed: bce, mse, "),
        ("train_size=200", "train_size=1.5", "train_size=1.5; allowed is a whole number of at least 1, or None"),
        ("train_size=200", "learning_rate=-1", "learning_rate=-1; allowed is a finite number over 0"),
        ("train_size=200", "learning_rate=float('inf')", "learning_rate=inf; allowed is a finite number over 0"),
        ("train_size=200", "learning_rate=float('nan')", "learning_rate=nan; allowed is a finite number over 0"),
        ("TRAINING", "SEARCH = dict(learning_rate=(1e-4, float('inf')))\nTRAINING", "0 < low < high, finite numbers"),
        ("TRAINING", "SEARCH = dict(latent_dim=('a', 'b'))\nTRAINING", "0 < low < high, finite numbers"),
        ('dataset="digits"', 'dataset="../x"', "dataset='../x'; allowed is a name of letters"),
        ("[4]", "[4, 4]", "has a duplicate level"),
        ("[4]", "[]", "allowed is a list of at least one level"),
        ("dict(latent_dim=[4])}", "{}}", "block 'latent' is empty"),
        (
            "dict(latent_dim=[4])}",
            "dict(latent_dim=[4]), 'b': dict(latent_dim=[4])}",
            "block 'b' is a duplicate of block 'latent'",
        ),
        ("TRAINING", "ARCHITECTURES = {'a b': print}\nTRAINING", "'a b': allowed is a name of letters"),
        ("epochs=2", "epochs=0", "epochs=0: allowed is a whole number of at least 1"),
        ("epochs=2", "epochs=2, patience=3", "unknown setting 'patience'"),
        ('"dense", latent_dim=2, loss="mse"', '"linear", latent_dim=2, loss="bce"', "defined for outputs within"),
        ("train_size=200", "depth=2", "takes no depth"),
        ("test_mse", "test_loss", "unknown metric 'test_loss'"),
        ("(dict(latent_dim=4), {})", "(dict(latent_dim=5), {})", "the cell digits-dense-k5-mse-n200 is in no block"),
        ("(dict(latent_dim=4), {})", "(dict(latent_dim=2), {})", "both sides are the cell"),
    ],
)
def test_what_is_wrong_is_named(old, new, said):
    assert old in TINY
    with pytest.raises(InputError) as error:
        tiny(TINY.replace(old, new))
    assert said in str(error.value)


@pytest.mark.parametrize(("text", "line"), [("\nx = (", 2), ("\n\n1 / 0", 3)])
def test_a_file_that_does_not_run_is_an_input_error_with_its_line(text, line):
    with pytest.raises(InputError, match=rf"tiny\.py, line {line}: "):
        tiny(text)


def test_an_unknown_space_lists_the_known():
    with pytest.raises(InputError, match=r"Known: .*quick"):
        space.load("nonesuch")


def test_the_hash_follows_what_determines_a_trial_and_nothing_else():
    own = TINY.replace('"dense"', '"mine"') + "def build(shape, latent_dim, depth):\n    return 1\n"
    own += "ARCHITECTURES = dict(mine=build)\n"

    def digest(text: str, seed: int = 0, data: str = "a") -> str:
        one = tiny(text)
        return space.trial_hash(one, one.baseline, seed, {"x_train": data})

    assert digest(TINY) == digest(TINY.replace("seeds=2", "seeds=9")) == digest('"""Words."""\n' + TINY)
    changed = [
        TINY.replace("latent_dim=2", "latent_dim=3").replace("[4]", "[4, 2]"),
        TINY.replace("epochs=2", "epochs=3"),
    ]
    found = {digest(TINY), *map(digest, changed), digest(TINY, 1), digest(TINY, 0, "b"), digest(own)}
    assert len(found) == 6
    assert digest(own) == digest(own.replace("seeds=2", "seeds=3"))
    assert digest(own) != digest(own.replace("return 1", "return 2"))


def test_override_sets_levels_and_settings():
    one = space_checks.validate(space.override(tiny(), {"epochs": "5", "learning_rate": "1e-2", "train_size": "None"}))
    assert one.training["epochs"] == 5 and one.baseline["learning_rate"] == 0.01 and one.baseline["train_size"] is None
    with pytest.raises(InputError, match="no setting 'epoch'"):
        space.override(tiny(), {"epoch": "5"})


def test_a_study_begun_with_settings_goes_on_by_the_name_of_its_space(tmp_path, capsys):
    def job(text: str, *options: str) -> Job:
        (tmp_path / "tiny.py").write_text(text)
        given = [str(tmp_path / "tiny.py"), "--artifacts", str(tmp_path / "artifacts"), *options]
        return plan.job(search._parser().parse_args(given))

    begun = job(TINY, "--set", "epochs=1", "--name", "tiny")
    plan.make_folder(begun)
    write_atomically(begun.folder / "manifest.json", to_json(begun.manifest))
    gone_on = job('"""Other words."""\n' + TINY, "--seeds", "7")
    assert gone_on.manifest["space"]["training"] == {"epochs": 1, "seeds": 7}
    assert gone_on.manifest["cells"] == begun.manifest["cells"]
    said = capsys.readouterr().out
    assert said.startswith(
        "note: 'tiny' goes on as it was begun, not as its search space stands: epochs 1 instead of 2. "
    )
    assert job(TINY, "--name", "other").manifest["space"]["training"]["epochs"] == 2
    for refused in ((TINY, "--set", "epochs=3", "--name", "tiny"), (TINY.replace("[4]", "[4, 3]"),)):
        with pytest.raises(InputError, match="epochs: was 1, now"):
            job(*refused)


def test_a_look_at_a_study_and_a_rebuild_take_it_as_it_is(tmp_path):
    def job(text: str, *options: str) -> Job:
        (tmp_path / "tiny.py").write_text(text)
        given = [str(tmp_path / "tiny.py"), "--artifacts", str(tmp_path / "artifacts"), *options]
        return plan.job(search._parser().parse_args(given))

    extended = job(TINY, "--seeds", "5")
    plan.make_folder(extended)
    write_atomically(extended.folder / "manifest.json", to_json(extended.manifest))
    assert job(TINY).seeds == 5, "the command alone goes on with all seeds that the study has been given"
    assert job(TINY, "--seeds", "3").seeds == 3
    other = TINY.replace("[4]", "[8]").replace('"digits"', '"not_here"').replace("seeds=2", "seeds=9")
    for look in (("--status",), ("--rebuild", "*")):
        found = job(other, *look)
        assert (found.manifest, found.seeds) == (extended.manifest, 5)
    with pytest.raises(InputError, match="not_here"):
        job(other)
    with pytest.raises(InputError, match="needs a name"):
        job(TINY, "--status", "--set", "epochs=3")


def test_other_images_under_a_name_say_where_to_point():
    old, new = (manifest.describe(tiny(), "tiny", {"digits": {"hashes": {"x": digest}}}) for digest in "ab")
    with pytest.raises(InputError, match=r"other images than before\n.*--data-dir"):
        manifest.extend(old, new)


def test_checking_a_space_imports_no_keras():
    code = "import sys; from study import plan, search; plan.job(search._parser().parse_args(['quick']))\n"
    code += "assert not {'keras', 'tensorflow', 'keras_tuner'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), timeout=60, check=True)
