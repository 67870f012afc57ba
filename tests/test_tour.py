"""The notebook runs from top to bottom on a study that was just trained, and is stored without outputs."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def stored():
    import nbformat

    return nbformat.read(ROOT / "tour.ipynb", as_version=4)


def test_it_is_stored_without_outputs(stored):
    codes = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in codes)


def test_it_runs_on_a_fresh_study(stored, finished, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    client = NotebookClient(stored.copy(), timeout=240, resources={"metadata": {"path": str(finished.folder)}})
    outputs = [output for cell in client.execute().cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    assert "4 trials, 2 cells, seeds [0, 1]" in printed
    assert "skill" in printed and "n = 2 seeds" in printed
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 3
    assert not [output for output in outputs if output.get("name") == "stderr" and "Warning" in output.text]
