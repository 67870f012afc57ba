"""What must hold between the files of the project: the direction of imports, and derived files that follow theirs."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Of `study`, analyses take what reads records and data, and nothing that trains.
OPEN_TO_ANALYSIS = {"records", "datasets", "metrics", "corruptions", "preprocessing", "autoencoders", "files", "errors"}
OPEN_TO_ANALYSIS |= {"manifest", "space"}  # what was declared: cells, families
OPEN_TO_ANALYSIS |= {"threads", "quiet"}  # how a process computes, and what it says
OPEN_TO_ANALYSIS |= {"levels", "losses", "regularizers"}  # what a level says of itself, and its code


def imports(path: Path) -> set[str]:
    return imported(ast.walk(ast.parse(path.read_text())))


def imported(nodes: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", of("search_spaces"), ids=str)
def test_search_spaces_import_nothing_of_the_project(path):
    assert not [name for name in imports(path) if name.split(".")[0] in ("study", "analysis", "tensorflow")]
    # An architecture of one's own imports Keras when it is built, so that reading a space needs none.
    at_once = imported(ast.parse(path.read_text()).body)
    assert not [name for name in at_once if name.split(".")[0] == "keras"]


@pytest.mark.parametrize("path", of("study"), ids=str)
def test_study_imports_no_analysis(path):
    assert not [name for name in imports(path) if name.split(".")[0] == "analysis"]


@pytest.mark.parametrize("path", of("study"), ids=str)
def test_tensorflow_is_used_in_one_file(path):
    uses = [name for name in imports(path) if name.split(".")[0] == "tensorflow"]
    assert not uses or path.name == "steps_tensorflow.py"


@pytest.mark.parametrize("path", of("analysis"), ids=str)
def test_analysis_takes_of_study_only_what_reads(path):
    names = {name.split(".")[1] for name in imports(path) if name.split(".")[0] == "study"}
    assert names <= OPEN_TO_ANALYSIS


def test_the_lock_and_the_conda_environment_follow_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    lock = (ROOT / "requirements.lock").read_text()
    locked = {m[1]: m[2] for m in re.finditer(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE)}
    from packaging.requirements import Requirement

    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(locked[requirement.name]), f"make lock: {requirement}"
    entries = re.split(r"\n(?=[a-z])", lock.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    conda = (ROOT / "environment.yml").read_text()
    assert f"python{project['project']['requires-python']}" in conda and "requirements.lock" in conda


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yml", "pyproject.toml", "Makefile", ".ci/run"])
def test_no_file_names_a_package_host(name):
    assert not re.search(r"https?://|--index-url |--find-links ", (ROOT / name).read_text())


@pytest.mark.parametrize("command", ["study.search", "analysis.latent_elbow"])
def test_help_needs_neither_keras_nor_pandas(command):
    code = f"import sys, runpy; sys.argv = ['x', '--help']\ntry: runpy.run_module('{command}', run_name='__main__')\n"
    code += "except SystemExit: print(sorted({'keras', 'tensorflow', 'pandas', 'seaborn'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
