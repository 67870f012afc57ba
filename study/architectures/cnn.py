"""The baseline without its 16-unit layer: the convolutional network for sweeps over the latent size."""

from typing import Any

from study.architectures import convolutions
from study.levels import level


@level(
    why="The baseline with one change: its dense layer of 16 units is gone, so the code is the narrowest place of the "
    "network. What a sweep over the latent size then shows belongs to the latent size, not to a layer before it. At "
    "small latent sizes the comparison with the baseline says what the extra non-linear layer was worth."
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """Conv 32, Conv 64 (stride 2), code; the baseline's decoder."""
    import keras
    from keras import layers

    images = keras.Input(shape)
    features = layers.Flatten()(convolutions.down(images, shape))
    code = layers.Dense(latent_dim)(features)
    return keras.Model(images, code, name="encoder"), convolutions.decoder(shape, latent_dim)
