"""A small transformer: the image as a sequence of 4×4 patches that attend to one another."""

from typing import Any

from study.architectures import convolutions
from study.levels import level

PATCH = 4  # pixels a side
WIDTH, HEADS, BLOCKS = 64, 4, 2


@level(
    why="Self-attention lets every patch of the image look at every other in each layer (Dosovitskiy et al. 2021, "
    "arXiv:2010.11929), where a convolution needs many layers to see across the image; masked autoencoders are built "
    "on it (He et al. 2022, arXiv:2111.06377). It assumes nothing about neighbourhood, not even which patches touch: "
    "positions are learned. On few and small images that freedom is expected to cost more than it brings."
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """4×4 patches, 64 channels, two transformer blocks of 4 heads, code; mirrored, sigmoid output."""
    import keras
    from keras import layers

    rows, columns = (convolutions.padded(side) // PATCH for side in shape[:2])
    pixels = PATCH * PATCH * shape[2]
    images = keras.Input(shape)
    patches = layers.Reshape((rows, PATCH, columns, PATCH, shape[2]))(convolutions.pad(images, shape))
    patches = layers.Reshape((rows * columns, pixels))(layers.Permute((1, 3, 2, 4, 5))(patches))
    code = layers.Dense(latent_dim)(layers.Flatten()(_transformer(_embed(patches, rows * columns))))

    latent = keras.Input((latent_dim,))
    tokens = layers.Reshape((rows * columns, WIDTH))(layers.Dense(rows * columns * WIDTH)(latent))
    patches = layers.Dense(pixels, activation="sigmoid")(_transformer(tokens))
    patches = layers.Permute((1, 3, 2, 4, 5))(layers.Reshape((rows, columns, PATCH, PATCH, shape[2]))(patches))
    reconstruction = layers.Reshape((rows * PATCH, columns * PATCH, shape[2]))(patches)
    reconstruction = convolutions.crop(reconstruction, shape)
    return keras.Model(images, code, name="encoder"), keras.Model(latent, reconstruction, name="decoder")


def _embed(patches: Any, count: int) -> Any:
    """The same linear map of every patch, and a bias for each position: (N, P, pixels) → (N, P, WIDTH)."""
    from keras import layers

    return layers.EinsumDense("npx,xw->npw", output_shape=(count, WIDTH), bias_axes="pw")(patches)


def _transformer(tokens: Any) -> Any:
    """Pre-norm transformer blocks: (N, P, WIDTH) → (N, P, WIDTH)."""
    from keras import layers

    for _ in range(BLOCKS):
        normed = layers.LayerNormalization(epsilon=1e-6)(tokens)
        tokens = layers.Add()([tokens, layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(normed, normed)])
        normed = layers.LayerNormalization(epsilon=1e-6)(tokens)
        inside = layers.Dense(2 * WIDTH, activation="gelu")(normed)
        tokens = layers.Add()([tokens, layers.Dense(WIDTH)(inside)])
    return layers.LayerNormalization(epsilon=1e-6)(tokens)
