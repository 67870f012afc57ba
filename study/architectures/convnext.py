"""A network of ConvNeXt blocks: depthwise convolutions that look far, pointwise layers that think."""

from typing import Any

from study.architectures import convolutions
from study.levels import level

FILTERS = (16, 32)  # those of the residual network; its depthwise convolutions are slow enough on a CPU
KERNEL = 7


@level(
    why="A ConvNeXt block separates looking around (a 7×7 convolution of each channel by itself) from combining "
    "channels (two pointwise layers with a wide middle), with layer normalisation and one smooth non-linearity (Liu et "
    "al. 2022, arXiv:2201.03545). It is what convolutional networks became after transformers. It sees farther than "
    "3×3 kernels at the same depth; in images of 28×28 pixels or fewer there may be little left to see, and on a CPU "
    "depthwise convolutions are slow for the operations they do."
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """Two stages, each a halving 2×2 convolution and one block, 16 and 32 channels; mirrored."""
    import keras
    from keras import layers

    images = keras.Input(shape)
    features = convolutions.pad(images, shape)
    for filters in FILTERS:
        features = layers.Conv2D(filters, 2, strides=2)(features)
        features = _block(layers.LayerNormalization(epsilon=1e-6)(features), filters)
    code = layers.Dense(latent_dim)(layers.Flatten()(features))

    latent = keras.Input((latent_dim,))
    features = convolutions.unflatten(latent, shape, FILTERS[-1])
    for filters, next_filters in ((FILTERS[1], FILTERS[0]), (FILTERS[0], FILTERS[0])):
        features = layers.Conv2DTranspose(next_filters, 2, strides=2)(_block(features, filters))
        features = layers.LayerNormalization(epsilon=1e-6)(features)
    reconstruction = layers.Conv2D(shape[2], 3, activation="sigmoid", padding="same")(features)
    reconstruction = convolutions.crop(reconstruction, shape)
    return keras.Model(images, code, name="encoder"), keras.Model(latent, reconstruction, name="decoder")


def _block(features: Any, filters: int) -> Any:
    from keras import layers

    inside = layers.DepthwiseConv2D(KERNEL, padding="same")(features)
    inside = layers.LayerNormalization(epsilon=1e-6)(inside)
    inside = layers.Dense(4 * filters, activation="gelu")(inside)
    return layers.Add()([features, layers.Dense(filters)(inside)])
