"""A U-Net: the convolutional autoencoder with skips that pass the code by. A control, not a candidate."""

from typing import Any

from study.architectures import convolutions
from study.levels import level


@level(
    why="The U-Net hands the encoder's feature maps to the decoder directly (Ronneberger et al. 2015, "
    "arXiv:1505.04597), which is right for segmentation. As an autoencoder it is the control that shows what a leak "
    "does: the image reaches the output past the code, so the error all but vanishes at any latent size and says "
    "nothing about what the code holds. Whoever compares reconstruction errors alone would choose it. To decode from a "
    "code alone, its skips are set to their means over the training images.",
    skips=True,
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """`cnn` whose decoder also takes the feature maps at half and a quarter of the resolution."""
    import keras
    from keras import layers

    images = keras.Input(shape)
    half = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(convolutions.pad(images, shape))
    quarter = layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(half)
    code = layers.Dense(latent_dim)(layers.Flatten()(quarter))

    latent, *skips = (keras.Input(tensor.shape[1:]) for tensor in (code, half, quarter))
    features = convolutions.unflatten(latent, shape, 64, activation="relu")
    features = layers.Concatenate()([features, skips[1]])
    features = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(features)
    features = layers.Concatenate()([features, skips[0]])
    features = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(features)
    reconstruction = layers.Conv2DTranspose(shape[2], 3, activation="sigmoid", padding="same")(features)
    reconstruction = convolutions.crop(reconstruction, shape)
    encoder = keras.Model(images, [code, half, quarter], name="encoder")
    return encoder, keras.Model([latent, *skips], reconstruction, name="decoder")
