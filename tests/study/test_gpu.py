"""What happens on a machine with a GPU, as far as a machine without one can tell: the driver is faked."""

import os

import pytest

from study import provenance, search, threads


@pytest.mark.parametrize(
    ("gpus", "cores", "workers"),
    [(None, 8, 8), ("NVIDIA A", 8, 2), ("NVIDIA A\nNVIDIA A", 8, 4), ("NVIDIA A\nNVIDIA A", 2, 2)],
)
def test_workers_are_one_a_core_or_two_a_gpu(gpus, cores, workers, monkeypatch):
    monkeypatch.setattr(provenance, "gpu_model", lambda: gpus)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)), raising=False)
    assert search.default_workers() == workers


def test_a_worker_takes_gpu_memory_only_as_it_needs_it(monkeypatch):
    """TensorFlow by memory growth, JAX by not taking three quarters beforehand."""
    import tensorflow as tf

    from study import steps_tensorflow

    grown = []
    for name in ("set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"):
        monkeypatch.setattr(tf.config.threading, name, lambda threads: None)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu:0", "gpu:1"] if kind == "GPU" else [])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grows: grown.append((gpu, grows)))
    steps_tensorflow.one_thread()
    assert grown == [("gpu:0", True), ("gpu:1", True)]
    assert threads.ONE_THREAD["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


def test_the_gpu_is_part_of_what_must_agree(monkeypatch):
    here = provenance.environment()
    monkeypatch.setattr(provenance, "gpu_model", lambda: "NVIDIA A")
    there = provenance.environment()
    assert provenance.differences(here, there) == [f"gpu: {here['gpu']} ≠ NVIDIA A"]


def test_a_hidden_gpu_is_none(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    provenance.gpu_model.cache_clear()
    try:
        assert provenance.gpu_model() is None
    finally:
        provenance.gpu_model.cache_clear()
