"""How wide, how deep, how large a code, how fast? Networks of one's own, and a space for the search proper.

Question: what does the width of a fully connected autoencoder do beside its depth, on handwritten digits; and which
          network, latent size and learning rate does a search find when all of them may change at once?
Command:  python -m study.search widths, then python -m study.search widths --tuner bayesian --budget 24
Cost:     40 trials of 20 epochs on 10,000 images; the search 72 more, and 20 that judge what it found.
Expect:   the latent size rules the error, so the search goes to its upper end; width pays until the training set is
          too small for it; a second hidden layer is worth more than doubling the first.
"""

from collections.abc import Callable
from typing import Any

WIDTHS = [64, 128, 256, 512]


def dense(width: int) -> Callable:
    """A fully connected autoencoder with `depth` (1) hidden layers of `width` units each way."""

    def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
        import math

        import keras
        from keras import layers

        hidden = [layers.Dense(width, activation="relu") for _ in range(2 * (depth or 1))]
        images, latent = keras.Input(shape), keras.Input((latent_dim,))
        features, codes = layers.Flatten()(images), latent
        for down, up in zip(hidden[::2], hidden[1::2], strict=True):
            features, codes = down(features), up(codes)
        pixels = layers.Dense(math.prod(shape), activation="sigmoid")(codes)
        encoder = keras.Model(images, layers.Dense(latent_dim)(features), name="encoder")
        return encoder, keras.Model(latent, layers.Reshape(shape)(pixels), name="decoder")

    vars(build).update(takes_depth=True)
    return build


ARCHITECTURES = {f"dense_{width}": dense(width) for width in WIDTHS}

BASELINE = dict(dataset="mnist", architecture="dense_256", latent_dim=8, loss="mse", train_size=10_000)

BLOCKS = {"width": dict(architecture=list(ARCHITECTURES), depth=[None, 2])}

TRAINING = dict(epochs=20, seeds=5)

FAMILIES = {
    "width": dict(
        metric="test_mse", contrasts=[(dict(architecture=f"dense_{width}"), {}) for width in WIDTHS if width != 256]
    ),
    "depth": dict(
        metric="test_mse",
        contrasts=[(dict(architecture=name, depth=2), dict(architecture=name)) for name in ARCHITECTURES],
    ),
}

# What `--tuner hyperband` or `--tuner bayesian` explores: pairs are ranges (log scale), lists are choices. Depth is
# explored for those architectures that take one: here all but cnn.
SEARCH = dict(
    architecture=[*ARCHITECTURES, "cnn"],
    depth=[1, 2, 3],
    latent_dim=(1, 32),
    learning_rate=(3e-4, 1e-2),
    batch_size=[32, 128],
)
