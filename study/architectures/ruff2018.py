"""The autoencoder of the Deep SVDD paper's MNIST experiments, for the one-class study."""

from typing import Any

from study.architectures import convolutions
from study.levels import level

FILTERS = (8, 4)


@level(
    why="The LeNet-like network of Ruff et al. (2018, PMLR 80, section 4.2): small convolutions with few filters and "
    "no biases, batch normalisation, leaky ReLU, max-pooling. Their table of one-class AUCs on MNIST was made with it, "
    "so that a number from here can be held against a published one. It is small on purpose: a network that "
    "reconstructs everything well finds no anomalies."
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """Conv 8 and Conv 4 (5×5), each with batch normalisation, leaky ReLU and 2×2 max-pooling; code; mirrored.

    The paper's decoder reshapes its 32 units to maps of 4×4 and crops; here a dense layer without bias leads to maps
    at a quarter of the resolution, so that any latent size and shape fit. At 8×8×1 the 16 units before the code are
    narrower than larger codes.
    """
    import keras
    from keras import layers

    images = keras.Input(shape)
    features = convolutions.pad(images, shape)
    for filters in FILTERS:
        features = layers.Conv2D(filters, 5, padding="same", use_bias=False)(features)
        features = layers.MaxPooling2D()(_normalised(features))
    code = layers.Dense(latent_dim, use_bias=False)(layers.Flatten()(features))

    latent = keras.Input((latent_dim,))
    rows, columns = (convolutions.padded(side) // 4 for side in shape[:2])
    features = layers.Dense(rows * columns * FILTERS[-1], use_bias=False)(latent)
    features = layers.LeakyReLU(0.01)(layers.Reshape((rows, columns, FILTERS[-1]))(features))
    for filters in reversed(FILTERS):
        features = layers.Conv2DTranspose(filters, 5, padding="same", use_bias=False)(features)
        features = layers.UpSampling2D()(_normalised(features))
    reconstruction = layers.Conv2DTranspose(shape[2], 5, padding="same", use_bias=False, activation="sigmoid")(features)
    reconstruction = convolutions.crop(reconstruction, shape)
    return keras.Model(images, code, name="encoder"), keras.Model(latent, reconstruction, name="decoder")


def _normalised(features: Any) -> Any:
    from keras import layers

    features = layers.BatchNormalization(epsilon=1e-4, center=False, scale=False)(features)
    return layers.LeakyReLU(0.01)(features)
