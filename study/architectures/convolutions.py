"""What the convolutional architectures share: two strided convolutions down, and their mirror image up.

Two halvings need a side that 4 divides. Any other side is zero-padded to the next multiple of 4 on the way in, and the
excess is cut off on the way out, so that every H×W×C works and 28×28 and 32×32 are untouched.
"""

from typing import Any


def padded(side: int) -> int:
    """The next multiple of 4, in pixels."""
    return -(-side // 4) * 4


def pad(images: Any, shape: tuple[int, int, int]) -> Any:
    """Zeros at the bottom and the right, up to the next multiples of 4: (N, H, W, C) → (N, H′, W′, C)."""
    from keras import layers

    excess = _excess(shape)
    return layers.ZeroPadding2D(excess)(images) if excess != NONE else images


def crop(images: Any, shape: tuple[int, int, int]) -> Any:
    """The inverse of `pad`."""
    from keras import layers

    excess = _excess(shape)
    return layers.Cropping2D(excess)(images) if excess != NONE else images


def down(images: Any, shape: tuple[int, int, int]) -> Any:
    """Conv 32, Conv 64, both 3×3, stride 2, ReLU: (N, H, W, C) → (N, ⌈H/4⌉, ⌈W/4⌉, 64)."""
    from keras import layers

    features = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(pad(images, shape))
    return layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(features)


def up(features: Any, shape: tuple[int, int, int]) -> Any:
    """Transposed convolutions 64, 32 (stride 2, ReLU), then C, sigmoid: (N, ⌈H/4⌉, ⌈W/4⌉, 64) → (N, H, W, C)."""
    from keras import layers

    features = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(features)
    features = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(features)
    images = layers.Conv2DTranspose(shape[2], 3, activation="sigmoid", padding="same")(features)
    return crop(images, shape)


def unflatten(code: Any, shape: tuple[int, int, int], channels: int, activation: str | None = None) -> Any:
    """A dense layer to feature maps at a quarter of the resolution: (N, k) → (N, ⌈H/4⌉, ⌈W/4⌉, channels)."""
    from keras import layers

    rows, columns = padded(shape[0]) // 4, padded(shape[1]) // 4
    features = layers.Dense(rows * columns * channels, activation=activation)(code)
    return layers.Reshape((rows, columns, channels))(features)


def decoder(shape: tuple[int, int, int], latent_dim: int) -> Any:
    """The baseline's decoder: a dense layer of ⌈H/4⌉·⌈W/4⌉·64 units, then `up`."""
    import keras

    code = keras.Input((latent_dim,))
    return keras.Model(code, up(unflatten(code, shape, 64, activation="relu"), shape), name="decoder")


NONE = ((0, 0), (0, 0))


def _excess(shape: tuple[int, int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    return (0, padded(shape[0]) - shape[0]), (0, padded(shape[1]) - shape[1])
