"""The linear autoencoder: what remains when every non-linearity is taken away. Its optimum is PCA."""

import math
from typing import Any

from study.levels import level


@level(
    why="Without non-linearities and with squared error the best autoencoder is principal component analysis "
    "(Bourlard and Kamp 1988, doi:10.1007/BF00332918; Baldi and Hornik 1989, doi:10.1016/0893-6080(89)90014-2). The "
    "trained linear autoencoder therefore shows two things at once: how far training is from an optimum that is known "
    "in closed form, and how much of the other architectures' success is owed to their non-linearity.",
    unbounded=True,
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """One dense layer each way, identity output: pixels may leave [0, 1], so losses that need [0, 1] are refused."""
    import keras
    from keras import layers

    images = keras.Input(shape)
    code = layers.Dense(latent_dim)(layers.Flatten()(images))

    latent = keras.Input((latent_dim,))
    reconstruction = layers.Reshape(shape)(layers.Dense(math.prod(shape))(latent))
    return keras.Model(images, code, name="encoder"), keras.Model(latent, reconstruction, name="decoder")
