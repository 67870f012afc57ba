"""The built-in architectures, one file each.

An architecture is a function `build(shape, latent_dim, depth) -> (encoder, decoder)`:

    Input shape:  `shape` = (H, W, C), the images; `latent_dim`, the units of the code; `depth` None or, where the
                  architecture takes one, its blocks a stage.
    Output:       two `keras.Model`s. The encoder maps (N, H, W, C) to codes (N, latent_dim), or to [code, *skips],
                  which the decoder then takes; the decoder maps codes to images (N, H, W, C).

Keras is imported inside `build`, so that search spaces are validated without it. A new architecture is a new file and
a line below; one's own stands in the search space's `ARCHITECTURES`.
"""

from collections.abc import Callable

from study.architectures import (
    attention,
    cnn,
    convnext,
    deep_cnn,
    dense,
    keras_io,
    linear,
    plain_deep,
    residual,
    ruff2018,
    unet,
)

ARCHITECTURES: dict[str, Callable] = {
    "keras_io": keras_io.build,
    "cnn": cnn.build,
    "deep_cnn": deep_cnn.build,
    "dense": dense.build,
    "linear": linear.build,
    "residual": residual.build,
    "plain_deep": plain_deep.build,
    "convnext": convnext.build,
    "attention": attention.build,
    "unet": unet.build,
    "ruff2018": ruff2018.build,
}
