"""The regularizers: what a batch minimises, given the encoder, the decoder and the loss of the cell.

A regularizer is a function (encoder, decoder, loss, images) → scalar, the objective of the batch, lower is better;
`images` (N, H, W, C), pixels in [0, 1]. Written with `keras.ops` only; Keras is imported inside.
"""

from collections.abc import Callable
from typing import Any

from study.levels import level


@level(why="The plain autoencoder: nothing but its bottleneck keeps it from copying the image.")
def none(encoder: Any, decoder: Any, loss: Callable, images: Any) -> Any:
    """The mean loss of the batch."""
    from keras import ops

    return ops.mean(loss(images, decoder(encoder(images, training=True), training=True)))


REGULARIZERS: dict[str, Callable] = {"none": none}
