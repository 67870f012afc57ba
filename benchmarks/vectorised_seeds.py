"""Is it worth training many seeds of one cell in one compiled step? `jax.vmap` over seeds against one after another.

    python -m benchmarks.vectorised_seeds [--seeds 10] [--steps 30] [--threads 1]

Both sides train the same autoencoders (Adam, squared error, batches of 128 images 28×28×1, each seed with its own) with
JAX: a jitted step called once for each seed in turn, and the same step mapped over a leading axis of seeds and jitted
once. Printed: milliseconds a step and seed, median of three rounds, and how far the two sides' weights are apart at the
end. The device is named, since the answer is the device's: on a CPU core a single seed's matrix products keep it busy
already, and mapped convolutions become grouped ones.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

BATCH, SHAPE, LATENT = 128, (28, 28, 1), 2
CELLS = ("linear", "dense", "keras_io")
FEWER = {"keras_io": (3, 2)}  # seeds and steps at most: JAX trains convolutions slowly on a CPU, mapped ones more so
ROUNDS = 3


def main() -> None:
    """Prints a line a cell."""
    options = _parser().parse_args()
    os.environ["KERAS_BACKEND"] = "jax"
    if options.threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import jax

    from study.provenance import cpu_model

    device = jax.devices()[0]
    name = cpu_model() if device.platform == "cpu" else device.device_kind
    print(f"JAX {jax.__version__} on {device.platform}: {name}; {len(os.sched_getaffinity(0))} cores; batch {BATCH}")
    heads = ("seeds", "in turn, ms", "mapped, ms", "in turn ÷ mapped", "difference")
    print(f"{'cell':10s} {heads[0]:>5s} {heads[1]:>12s} {heads[2]:>11s} {heads[3]:>17s} {heads[4]:>11s}")
    for cell in CELLS:
        most_seeds, most_steps = FEWER.get(cell, (options.seeds, options.steps))
        seeds, steps = min(options.seeds, most_seeds), min(options.steps, most_steps)
        one, many, difference = _compare(cell, seeds, steps)
        print(f"{cell:10s} {seeds:5d} {one:12.2f} {many:11.2f} {one / many:17.2f} {difference:11.1e}", flush=True)


def _compare(cell: str, seeds: int, steps: int) -> tuple[float, float, float]:
    """Milliseconds a step and seed in turn and mapped, and the largest difference of a weight, relative to its size."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    step, states = _cell(cell, seeds)
    images = jnp.asarray(np.random.default_rng(0).random((seeds, BATCH, *SHAPE), np.float32))
    alone, mapped = jax.jit(step), jax.jit(jax.vmap(step))
    together = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)

    def in_turn(states: list) -> list:
        for _ in range(steps):
            states = [alone(state, batch) for state, batch in zip(states, images, strict=True)]
        return states

    def at_once(state: Any) -> Any:
        for _ in range(steps):
            state = mapped(state, images)
        return state

    one = _milliseconds(in_turn, states) / (steps * seeds)
    many = _milliseconds(at_once, together) / (steps * seeds)
    last = jax.tree.map(lambda *leaves: jnp.stack(leaves), *in_turn(states))[0]
    pairs = zip(jax.tree.leaves(last), jax.tree.leaves(at_once(together)[0]), strict=True)
    return one, many, max(float(jnp.abs(a - b).max() / (jnp.abs(a).max() + 1e-12)) for a, b in pairs)


def _milliseconds(run: Callable, state: Any) -> float:
    import jax

    jax.block_until_ready(run(state))  # compiles
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        jax.block_until_ready(run(state))
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)


def _cell(cell: str, seeds: int) -> tuple[Callable, list]:
    """A training step (state, images) → state, and a fresh state for each seed: weights, other variables, optimizer."""
    import jax
    import jax.numpy as jnp
    import keras

    from study import autoencoders
    from study.architectures import ARCHITECTURES
    from study.space import DEFAULTS

    levels = {**DEFAULTS, "dataset": "mnist", "architecture": cell, "latent_dim": LATENT, "loss": "mse"}
    states = []
    for seed in range(seeds):
        model = autoencoders.build(levels, SHAPE, seed, ARCHITECTURES)
        optimizer = keras.optimizers.Adam()
        optimizer.build(model.trainable_variables)
        groups = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
        states.append(tuple([jnp.array(variable.value) for variable in group] for group in groups))

    def loss(weights: list, others: list, images: Any) -> Any:
        reconstructions, others = model.stateless_call(weights, others, images, training=True)
        return jnp.mean(jnp.square(images - reconstructions)), others

    def step(state: tuple, images: Any) -> tuple:
        weights, others, moments = state
        (_, others), gradients = jax.value_and_grad(loss, has_aux=True)(weights, others, images)
        weights, moments = optimizer.stateless_apply(moments, gradients, weights)
        return list(weights), list(others), list(moments)

    return step, states


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1, help="1, or 0 for as many as JAX takes")
    return parser


if __name__ == "__main__":
    main()
