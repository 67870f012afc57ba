"""A deeper convolutional network: two more convolutions at each resolution."""

from typing import Any

from study.architectures import convolutions
from study.levels import level

CONVOLUTIONS = 2  # unstrided ones after each strided one


@level(
    why="More convolutions before each halving of the image let the network combine strokes into larger parts before "
    "it forgets where they were: small stacked kernels see as far as a large one, with fewer parameters and more "
    "non-linearities (Simonyan and Zisserman 2015, arXiv:1409.1556). It should lower the error where the code is "
    "large enough not to be the limit, and costs several times the training time."
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """Two stages of three 3×3 convolutions, 32 and 64 filters, the first with stride 2; mirrored."""
    import keras
    from keras import layers

    images = keras.Input(shape)
    features = convolutions.pad(images, shape)
    for filters in (32, 64):
        features = layers.Conv2D(filters, 3, strides=2, activation="relu", padding="same")(features)
        for _ in range(CONVOLUTIONS):
            features = layers.Conv2D(filters, 3, activation="relu", padding="same")(features)
    code = layers.Dense(latent_dim)(layers.Flatten()(features))

    latent = keras.Input((latent_dim,))
    features = convolutions.unflatten(latent, shape, 64, activation="relu")
    for filters in (64, 32):
        for _ in range(CONVOLUTIONS):
            features = layers.Conv2D(filters, 3, activation="relu", padding="same")(features)
        features = layers.Conv2DTranspose(filters, 3, strides=2, activation="relu", padding="same")(features)
    reconstruction = layers.Conv2D(shape[2], 3, activation="sigmoid", padding="same")(features)
    reconstruction = convolutions.crop(reconstruction, shape)
    return keras.Model(images, code, name="encoder"), keras.Model(latent, reconstruction, name="decoder")
