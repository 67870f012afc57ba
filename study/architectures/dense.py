"""A fully connected autoencoder: no convolutions, every pixel sees every other."""

import math
from typing import Any

from study.levels import level


@level(
    why="Fully connected layers drop the assumption that neighbouring pixels belong together and that a stroke means "
    "the same wherever it stands. On small, centred images that costs parameters but little accuracy, and matrix "
    "products run faster than convolutions on a CPU; the shape, 784–512–256–k for 28×28 images, follows the deep "
    "autoencoder of Hinton and Salakhutdinov (2006, doi:10.1126/science.1127647), shortened."
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """Dense 512, Dense 256, code; mirrored, sigmoid output. Layers widen to the latent size where that is larger."""
    import keras
    from keras import layers

    widths = [max(512, latent_dim), max(256, latent_dim)]
    images = keras.Input(shape)
    features = layers.Flatten()(images)
    for width in widths:
        features = layers.Dense(width, activation="relu")(features)
    code = layers.Dense(latent_dim)(features)

    latent = keras.Input((latent_dim,))
    features = latent
    for width in reversed(widths):
        features = layers.Dense(width, activation="relu")(features)
    pixels = layers.Dense(math.prod(shape), activation="sigmoid")(features)
    reconstruction = layers.Reshape(shape)(pixels)
    return keras.Model(images, code, name="encoder"), keras.Model(latent, reconstruction, name="decoder")
