"""A study's folder with results as analyses leave them, for tests of the report and citations; nothing is trained."""

import json
from pathlib import Path

import pandas as pd
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from analysis import citable, command
from analysis.citable import Answer
from study import files, manifest, space

SPACE = """
BASELINE = dict(dataset="digits", architecture="dense", latent_dim=2, loss="mse")
BLOCKS = {"latent": dict(latent_dim=[4])}
TRAINING = dict(epochs=2, seeds=3)
FAMILIES = {"latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=4), {})])}
"""
DATA = {"digits": {"shape": [8, 8, 1], "sizes": [1437, 360], "source": "load_digits", "hashes": {"x_train": "ab"}}}
ENVIRONMENT = {
    "record_version": 1,
    "backend": "tensorflow",
    "libraries": {"keras": "3.15.1", "numpy": "2.4.6"},
    "system": "Linux x86_64",
    "cpu": "A processor",
    "gpu": None,
}
CURVE = pd.DataFrame(
    {
        "dataset": "digits",
        "size": [2, 4],
        "error": [0.034513, 0.0211],
        "low": [0.025922, 0.0187],
        "high": [0.043104, 0.0235],
        "n": 3,
        "method": "mean, 95 % t interval (of seeds)",
        "p": [0.0312, 1e-7],
    }
)


def write(artifacts: Path, name: str = "tiny", commit: str | None = "abc123") -> Path:
    """A study of two cells and three seeds, all completed, with no analysis yet."""
    of = space.parse("tiny", SPACE, "tiny.py")
    folder = artifacts / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(files.to_json(manifest.describe(of, name, DATA)))
    for task in of.trials():
        content = {
            **{"trial": task.name, "cell": task.cell, "seed": task.seed, "status": "completed", "error": ""},
            **{"hash": space.trial_hash(of, task.cell, task.seed, DATA["digits"]["hashes"])},
            **{"values": {"test_mse": 0.03}, "history": [], "environment": ENVIRONMENT},
            "noted": {"commit": commit, "time": "2026-11-24T09:00:00+00:00", "python": "3.11.7"},
        }
        files.write_record(folder, content, {}, None)
    return folder


def analyse(
    study: Path,
    place: str = "latent_elbow",
    table: pd.DataFrame = CURVE,
    sentences: tuple[str, ...] = ("digits: the error falls.", "digits: it falls further.", "That is all."),
    caption: str = "Error over size; n = 3 seeds, 95 % t interval.",
    answer: str | None = "latent_elbow",
    what: str = "error at {size} units",
) -> Path:
    """What an analysis leaves in `analysis/PLACE`: one table, its statistics, a picture, an answer to a question."""
    folder = study / "analysis" / place
    found = citable.statistics(table, "curve", key=["dataset", "size"], what=what, value="error", p="p")
    prefix = place.replace("/", ".")
    command.write({"curve": table, "statistics": found.assign(id=f"{prefix}." + found["id"])}, folder)
    picture(folder / "curve.png", caption)
    answers = [Answer(answer, "Four units are enough.", f"{prefix}.digits-4", "curve")] if answer else []
    said = citable.summary(
        ["python", "-m", f"analysis.{place}", study.name], sentences, "n: seeds.", answers, {"curve": "curve.png"}
    )
    (folder / "summary.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


def picture(path: Path, caption: str, image: Image.Image | None = None) -> None:
    """A small picture that carries its caption as the figures do."""
    info = PngInfo()
    info.add_itxt("Description", caption)
    (image or Image.new("RGB", (40, 30), "white")).save(path, pnginfo=info)


def modification(**changes: object) -> dict:
    """A block as `analysis.effects` writes it to modifications.json."""
    block = {
        **{"family": "latent", "label": "latent_dim 2 → 4", "factors": ["latent_dim"]},
        **{"cell": "digits-dense-k4-mse", "reference": "digits-dense-k2-mse"},
        "code": [
            {"factor": "latent_dim", "old": "search space", "new": "search space", "diff": "@@ -1 +1 @@\n-two\n+four"}
        ],
        "why": ["More units hold more."],
        **{"time": ["An epoch takes as long."], "loss": ["It ends lower."], "performance": ["Less error."]},
        "certainty": ["n = 3 seeds."],
        "mechanism": {
            **{"explanation": "The code was full.", "measurements": ["4 of 4 units are active."], "beside": []},
            "conclusion": "Not refuted.",
        },
    }
    return {**block, **changes}


def write_modifications(study: Path, *blocks: dict) -> None:
    """What `analysis.effects` leaves for the report."""
    folder = study / "analysis" / "effects"
    folder.mkdir(exist_ok=True)
    (folder / "modifications.json").write_text(json.dumps(blocks), encoding="utf-8")
