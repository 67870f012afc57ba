"""The baseline: the encoder and decoder of the Keras example `generative/vae.py`, as a plain autoencoder."""

from typing import Any

from study.architectures import convolutions
from study.levels import level


@level(
    why="The baseline that the assignment hands out: the encoder and decoder of the Keras example for variational "
    "autoencoders (https://keras.io/examples/generative/vae/), without the sampling. Two strided convolutions see "
    "local strokes, a dense layer of 16 units mixes them. That layer is part of the example, and it caps every latent "
    "size above 16: more latent units can carry no more than the 16 units before them."
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """Conv 32, Conv 64 (stride 2), Dense 16, code; mirrored. 127,825 + 3,153·k parameters on 28×28×1."""
    import keras
    from keras import layers

    images = keras.Input(shape)
    features = layers.Flatten()(convolutions.down(images, shape))
    features = layers.Dense(16, activation="relu")(features)
    code = layers.Dense(latent_dim)(features)
    return keras.Model(images, code, name="encoder"), convolutions.decoder(shape, latent_dim)
