"""Builds the autoencoder of a cell, and says what it is made of."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from study.datasets import rng
from study.levels import has
from study.regularizers import REGULARIZERS
from study.space import Cell


def build(cell: Cell, shape: tuple[int, int, int], seed: int, architectures: Mapping[str, Callable]) -> Any:
    """The autoencoder of a cell with the fresh weights of a seed.

    Args:
        cell: The levels.
        shape: (H, W, C) of the images.
        seed: Decides the initial weights, whatever was built before in this process.
        architectures: Name → build function.

    Returns:
        A `keras.Model`, images → reconstructions, whose layers are named "encoder" and "decoder".

    Raises:
        ValueError: The architecture's models do not fit each other or the images.
    """
    import keras

    keras.utils.set_random_seed(int(rng(seed, "weights").integers(2**31)))
    build_networks = architectures[cell["architecture"]]
    encoder, decoder = build_networks(shape, cell["latent_dim"], cell["depth"])
    if has(REGULARIZERS[cell["regularizer"]], "doubles_code"):
        encoder = _mean_of(build_networks(shape, 2 * cell["latent_dim"], cell["depth"])[0], cell["latent_dim"])
    encoder.name, decoder.name = "encoder", "decoder"
    images = keras.Input(shape)
    reconstructions = decoder(encoder(images))
    code = code_of(encoder.outputs)
    if tuple(code.shape) != (None, cell["latent_dim"]):
        raise ValueError(f"the encoder's code has the shape {tuple(code.shape)}, not (None, {cell['latent_dim']})")
    if tuple(reconstructions.shape) != (None, *shape):
        raise ValueError(f"the decoder's output has the shape {tuple(reconstructions.shape)}, not (None, {shape})")
    return keras.Model(images, reconstructions, name="autoencoder")


def _mean_of(posterior: Any, latent_dim: int) -> Any:
    """An encoder of the first half of what `posterior` gives: the mean; the other half is its log-variance."""
    import keras

    posterior.name = "posterior"
    images = keras.Input(posterior.inputs[0].shape[1:])
    return keras.Model(images, posterior(images)[:, :latent_dim])


def code_of(outputs: Any) -> Any:
    """The code among an encoder's outputs: the only one, or the first of [code, *skips]."""
    return outputs[0] if isinstance(outputs, (list, tuple)) else outputs


def without_xla(network: Any) -> Any:
    """The same network, whose `predict` and `predict_on_batch` trace it once and do not compile it.

    A Keras model that is called itself runs layer after layer from Python, which for a deep one on few images takes
    most of the time; XLA, which Keras would choose here on TensorFlow, compiles for longer than it saves.
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        network.jit_compile = False
    return network


def decode(model: Any, codes: Any, train_images: Any, batch_size: int = 500) -> Any:
    """Images from codes alone.

    Where the decoder also takes skips, they are their means over the training images, the same for every code: what
    is left is what the code itself holds.

    Args:
        model: The autoencoder.
        codes: (N, k).
        train_images: (M, H, W, C) as the network sees them; used only where there are skips.
        batch_size: Images at a time.

    Returns:
        (N, H, W, C).
    """
    import numpy as np

    encoder, decoder = model.get_layer("encoder"), without_xla(model.get_layer("decoder"))
    if len(decoder.inputs) == 1:
        return decoder.predict(codes, batch_size=batch_size, verbose=0)
    starts = range(0, len(train_images), batch_size)
    sums = [
        [np.asarray(skip, np.float64).sum(axis=0) for skip in encoder(train_images[i : i + batch_size])[1:]]
        for i in starts
    ]
    means = [np.sum(parts, axis=0) / len(train_images) for parts in zip(*sums, strict=True)]
    skips = [np.broadcast_to(mean.astype(np.float32), (len(codes), *mean.shape)) for mean in means]
    return decoder.predict([codes, *skips], batch_size=batch_size, verbose=0)


def narrowest_width(model: Any) -> int | None:
    """The fewest units that an image has in any hidden layer but the code; None without hidden layers.

    A hidden layer narrower than the code caps it: what a larger latent size adds cannot pass.
    """
    widths = [width for part in ("encoder", "decoder") for width in _hidden_widths(model.get_layer(part))]
    # Reshaping layers at either end hold the image itself, or the code: no layer of their own.
    pixels = math.prod(model.inputs[0].shape[1:])
    return min((width for width in widths if width != pixels), default=None)


def _hidden_widths(network: Any) -> Iterator[int]:
    """Units an image has in each layer but the first and the last, those of networks inside it included."""
    ends = {id(tensor) for tensor in (*network.inputs, *network.outputs)}
    for layer in network.layers:
        if hasattr(layer, "layers"):
            yield from _hidden_widths(layer)
        else:
            yield from (math.prod(tensor.shape[1:]) for tensor in _tensors(layer.output) if id(tensor) not in ends)


def _tensors(output: Any) -> list:
    return list(output) if isinstance(output, (list, tuple)) else [output]
