"""Where a record comes from: what must agree for records to be compared, and what is only noted."""

import functools
import importlib.metadata
import json
import os
import platform
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RECORD_VERSION = 2  # raised whenever the same cell and seed would give other numbers than before


def environment() -> dict[str, Any]:
    """What must agree among all trials of one seed, so that pairs stay pairs. Needs no Keras.

    Returns:
        Record version, versions of the libraries that compute, backend, operating system, CPU and GPU model.
    """
    backend = backend_name()
    libraries = ["keras", "numpy", "scipy", {"tensorflow": "tensorflow", "jax": "jaxlib"}.get(backend, backend)]
    return {
        "record_version": RECORD_VERSION,
        "backend": backend,
        "libraries": {name: _version(name) for name in libraries},
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu_model(),
        "gpu": gpu_model(),
    }


def noted() -> dict[str, Any]:
    """What is written beside a record and never compared."""
    return {
        "host": socket.gethostname(),
        "commit": commit(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "keras_tuner": _version("keras-tuner"),
        "python": platform.python_version(),
    }


def backend_name() -> str:
    """The Keras backend as Keras would choose it, without importing Keras."""
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    config = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "keras.json"
    try:
        return json.loads(config.read_text()).get("backend", "tensorflow")
    except (OSError, ValueError):
        return "tensorflow"


@functools.cache
def cpu_model() -> str:
    """The processor's own name for itself, and on Linux what tells its generations and instruction sets apart.

    Hosts of virtual machines give many generations one name, as "AMD EPYC"; libraries choose their kernels by the rest.
    """
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return _printed("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()
    return cpu_of(text) or platform.machine()


def cpu_of(cpuinfo: str) -> str:
    """The first processor of `/proc/cpuinfo`: "AMD EPYC, family 23, model 49, avx avx2"; without a name ""."""
    first: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        first.setdefault(key.strip(), value.strip())
    vectors = [flag for flag in first.get("flags", "").split() if flag.startswith(("avx", "amx"))]
    numbers = [f"{word} {first[key]}" for word, key in (("family", "cpu family"), ("model", "model")) if key in first]
    parts = [first.get("model name") or first.get("Model", ""), *numbers, " ".join(vectors)]
    return ", ".join(part for part in parts if part)


@functools.cache
def gpu_model() -> str | None:
    """The names of the GPUs that NVIDIA's driver shows to this process, or None."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return None
    return _printed("nvidia-smi", "--query-gpu=name", "--format=csv,noheader") or None


@functools.cache
def commit() -> str | None:
    """The project's commit, with "+" where the working tree differs from it; None outside git."""
    root = str(Path(__file__).parent.parent)
    revision = _printed("git", "-C", root, "rev-parse", "--short=12", "HEAD")
    if not revision:
        return None
    changed = _printed("git", "-C", root, "status", "--porcelain", "--untracked-files=no", "--", "study")
    return revision + ("+" if changed else "")


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What two environments disagree in, one line each: "cpu: A ≠ B"."""
    flat_one, flat_other = _flat(one), _flat(other)
    keys = [key for key in {**flat_one, **flat_other} if flat_one.get(key) != flat_other.get(key)]
    return [f"{key}: {flat_one.get(key)} ≠ {flat_other.get(key)}" for key in keys]


def _flat(environment: dict[str, Any]) -> dict[str, Any]:
    libraries = environment.get("libraries", {})
    return {**{k: v for k, v in environment.items() if k != "libraries"}, **libraries}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _printed(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
