"""The network of `residual` and `plain_deep`: two stages of blocks, with or without the skip around each block.

A block is convolution, normalisation, ReLU, convolution, normalisation, (addition of the block's input,) ReLU, as in
the first figure of He et al. (2016, arXiv:1512.03385). Changes of resolution lie between the stages, so every skip is
the identity and has no parameters: the twins have the same layers and the same weights, but for the additions.
"""

from typing import Any

from study.architectures import convolutions

FILTERS = (16, 32)
DEPTH = 2  # blocks a stage, unless the cell says otherwise


def autoencoder(shape: tuple[int, int, int], latent_dim: int, depth: int | None, skips: bool) -> tuple[Any, Any]:
    """Two stages of `depth` blocks with 16 and 32 filters, each after a strided convolution; mirrored."""
    import keras
    from keras import layers

    blocks = depth or DEPTH
    images = keras.Input(shape)
    features = convolutions.pad(images, shape)
    for filters in FILTERS:
        features = layers.Conv2D(filters, 3, strides=2, activation="relu", padding="same")(features)
        for _ in range(blocks):
            features = _block(features, filters, skips)
    code = layers.Dense(latent_dim)(layers.Flatten()(features))

    latent = keras.Input((latent_dim,))
    features = convolutions.unflatten(latent, shape, FILTERS[-1], activation="relu")
    for filters, next_filters in ((FILTERS[1], FILTERS[0]), (FILTERS[0], FILTERS[0])):
        for _ in range(blocks):
            features = _block(features, filters, skips)
        features = layers.Conv2DTranspose(next_filters, 3, strides=2, activation="relu", padding="same")(features)
    reconstruction = layers.Conv2D(shape[2], 3, activation="sigmoid", padding="same")(features)
    reconstruction = convolutions.crop(reconstruction, shape)
    return keras.Model(images, code, name="encoder"), keras.Model(latent, reconstruction, name="decoder")


def _block(features: Any, filters: int, skips: bool) -> Any:
    from keras import layers

    inside = layers.Conv2D(filters, 3, padding="same", use_bias=False)(features)
    inside = layers.ReLU()(layers.BatchNormalization()(inside))
    inside = layers.Conv2D(filters, 3, padding="same", use_bias=False)(inside)
    inside = layers.BatchNormalization()(inside)
    return layers.ReLU()(layers.Add()([features, inside]) if skips else inside)
