"""What the convolutional architectures share: two strided convolutions down, and their mirror image up.

Two halvings need a side that 4 divides. Any other side is zero-padded to the next multiple of 4 on the way in, and the
excess is cut off on the way out, so that every H×W×C works and 28×28 and 32×32 are untouched.
"""

from typing import Any


def padded(side: int) -> int:
    """The next multiple of 4, in pixels."""
    return -(-side // 4) * 4


def down(images: Any, shape: tuple[int, int, int]) -> Any:
    """Conv 32, Conv 64, both 3×3, stride 2, ReLU: (N, H, W, C) → (N, ⌈H/4⌉, ⌈W/4⌉, 64)."""
    from keras import layers

    height, width, _ = shape
    if (padded(height), padded(width)) != (height, width):
        images = layers.ZeroPadding2D(((0, padded(height) - height), (0, padded(width) - width)))(images)
    images = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(images)
    return layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(images)


def up(features: Any, shape: tuple[int, int, int]) -> Any:
    """Transposed convolutions 64, 32 (stride 2, ReLU), then C, sigmoid: (N, ⌈H/4⌉, ⌈W/4⌉, 64) → (N, H, W, C)."""
    from keras import layers

    height, width, channels = shape
    features = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(features)
    features = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(features)
    images = layers.Conv2DTranspose(channels, 3, activation="sigmoid", padding="same")(features)
    if (padded(height), padded(width)) != (height, width):
        images = layers.Cropping2D(((0, padded(height) - height), (0, padded(width) - width)))(images)
    return images


def decoder(shape: tuple[int, int, int], latent_dim: int) -> Any:
    """The baseline's decoder: a dense layer of ⌈H/4⌉·⌈W/4⌉·64 units, then `up`."""
    import keras
    from keras import layers

    rows, columns = padded(shape[0]) // 4, padded(shape[1]) // 4
    code = keras.Input((latent_dim,))
    features = layers.Dense(rows * columns * 64, activation="relu")(code)
    features = layers.Reshape((rows, columns, 64))(features)
    return keras.Model(code, up(features, shape), name="decoder")
