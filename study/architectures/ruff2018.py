"""The autoencoder of the Deep SVDD paper's MNIST experiments, for the one-class study."""

from typing import Any

from study.architectures import convolutions
from study.levels import level

FILTERS = (8, 4)
PAPER_SIDE, PAPER_MAP = 28, 4  # pixels a side; the code becomes maps of 4×4


@level(
    why="The LeNet-like network of Ruff et al. (2018, PMLR 80, section 4.2): small convolutions with few filters and "
    "no biases, batch normalisation, leaky ReLU, max-pooling. Their table of one-class AUCs on MNIST was made with it, "
    "so that a number from here can be held against a published one. It is small on purpose: a network that "
    "reconstructs everything well finds no anomalies."
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """Conv 8 and Conv 4 (5×5), each with batch normalisation, leaky ReLU and 2×2 max-pooling; code; mirrored.

    On 28×28 and with a multiple of 16 units, 32 in the paper, the decoder is the authors' as well
    (https://github.com/lukasruff/Deep-SVDD): the code itself, as maps of 4×4, is enlarged three times, and its second
    convolution crops 16×16 to 14×14. Any other size and shape gets a dense layer without bias in between, to maps at
    a quarter of the resolution, which are enlarged twice. The authors also began from filters of a learned dictionary;
    here weights are drawn. At 8×8×1 the 16 units before the code are narrower than larger codes.
    """
    import keras
    from keras import layers

    images = keras.Input(shape)
    features = convolutions.pad(images, shape)
    for filters in FILTERS:
        features = layers.MaxPooling2D()(_convolution(features, filters))
    code = layers.Dense(latent_dim, use_bias=False)(layers.Flatten()(features))

    latent = keras.Input((latent_dim,))
    reconstruction = _paper_decoder(latent, shape) if _is_paper(shape, latent_dim) else _decoder(latent, shape)
    return keras.Model(images, code, name="encoder"), keras.Model(latent, reconstruction, name="decoder")


def _is_paper(shape: tuple[int, int, int], latent_dim: int) -> bool:
    return shape[:2] == (PAPER_SIDE, PAPER_SIDE) and latent_dim % PAPER_MAP**2 == 0


def _paper_decoder(latent: Any, shape: tuple[int, int, int]) -> Any:
    """4×4 maps of the code, enlarged to 8, 16 (cropped to 14) and 28 pixels."""
    from keras import layers

    maps = layers.Reshape((PAPER_MAP, PAPER_MAP, latent.shape[1] // PAPER_MAP**2))(latent)
    features = layers.UpSampling2D()(layers.LeakyReLU(0.01)(maps))
    features = layers.UpSampling2D()(_convolution(features, FILTERS[1]))
    features = _convolution(layers.ZeroPadding2D(1)(features), FILTERS[0], padding="valid")
    return _output(layers.UpSampling2D()(features), shape)


def _decoder(latent: Any, shape: tuple[int, int, int]) -> Any:
    from keras import layers

    rows, columns = (convolutions.padded(side) // 4 for side in shape[:2])
    features = layers.Dense(rows * columns * FILTERS[-1], use_bias=False)(latent)
    features = layers.LeakyReLU(0.01)(layers.Reshape((rows, columns, FILTERS[-1]))(features))
    for filters in reversed(FILTERS):
        features = layers.UpSampling2D()(_convolution(features, filters))
    return convolutions.crop(_output(features, shape), shape)


def _convolution(features: Any, filters: int, padding: str = "same") -> Any:
    """5×5 convolution, batch normalisation without scale and shift, leaky ReLU."""
    from keras import layers

    features = layers.Conv2D(filters, 5, padding=padding, use_bias=False)(features)
    features = layers.BatchNormalization(epsilon=1e-4, center=False, scale=False)(features)
    return layers.LeakyReLU(0.01)(features)


def _output(features: Any, shape: tuple[int, int, int]) -> Any:
    from keras import layers

    return layers.Conv2D(shape[2], 5, padding="same", use_bias=False, activation="sigmoid")(features)
