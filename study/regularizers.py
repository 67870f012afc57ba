"""The regularizers: what a batch minimises, given the encoder, the decoder and the loss of the cell.

A regularizer is a function (encoder, decoder, loss, images, random) → scalar, the objective of the batch, lower is
better; `images` (N, H, W, C), pixels in [0, 1]; `random`, a `keras.random.SeedGenerator` from which it draws. Written
with `keras.ops` only; Keras is imported inside. Validation and test always see the plain autoencoder: images in, their
reconstruction out, no noise, no penalty.
"""

import math
from collections.abc import Callable
from typing import Any

from study.levels import level

NOISE = 0.3  # denoising: standard deviation of the noise, in units of the pixel range
SPARSITY = 0.01  # sparse: weight of the penalty
CONTRACTION = 1e-3  # contractive: weight of the penalty
STEP = 0.01  # contractive: length of the finite difference, in units of the pixel range


@level(why="The plain autoencoder: nothing but its bottleneck keeps it from copying the image.")
def none(encoder: Any, decoder: Any, loss: Callable, images: Any, random: Any) -> Any:
    """The mean loss of the batch."""
    from keras import ops

    return ops.mean(loss(images, decoder(encoder(images, training=True), training=True)))


@level(
    why="Trained to restore a clean image from a noisy one (Vincent et al. 2008, doi:10.1145/1390156.1390294), the "
    "network cannot get by with copying: it has to know what images of the set look like. Expected: it denoises better "
    "than the plain autoencoder, and has more error on clean images, which it is not trained on. The noise is Gaussian "
    f"with a standard deviation of {NOISE} of the pixel range, clipped to it."
)
def denoising(encoder: Any, decoder: Any, loss: Callable, images: Any, random: Any) -> Any:
    """The mean loss of reconstructions from noisy images, against the clean ones."""
    import keras
    from keras import ops

    noise = keras.random.normal(ops.shape(images), stddev=NOISE, seed=random)
    noisy = ops.clip(images + noise, 0.0, 1.0)
    return ops.mean(loss(images, decoder(encoder(noisy, training=True), training=True)))


@level(
    why="A penalty on the absolute values of the code asks that few units answer to any one image, so that each may "
    "come to stand for something (Ng 2011, CS294A lecture notes; Makhzani and Frey 2013, arXiv:1312.5663). The plain "
    "penalty is met by shrinking the code and enlarging the decoder's weights; here the code is first divided by its "
    "root mean square over the batch, which leaves only true sparsity to gain. It should raise the error slightly "
    "and lower the number of units in use; at one or two units there is nothing to make sparse."
)
def sparse(encoder: Any, decoder: Any, loss: Callable, images: Any, random: Any) -> Any:
    """The mean loss + SPARSITY · mean |z| ÷ root mean square z, over images and units; scale-free, between 0 and 1."""
    from keras import ops

    from study.autoencoders import code_of

    encoded = encoder(images, training=True)
    code = code_of(encoded)
    size = ops.sqrt(ops.mean(ops.square(code)) + 1e-12)
    return ops.mean(loss(images, decoder(encoded, training=True))) + SPARSITY * ops.mean(ops.abs(code)) / size


@level(
    why="A penalty on the encoder's Jacobian asks that small changes of the image leave the code where it is (Rifai "
    "et al. 2011, ICML), so that it follows only the directions in which the data vary. It should give codes that "
    "noise moves less, at some cost in reconstruction. Encoder and decoder are not tied here, so part of the penalty "
    "can be met by a smaller code. The Jacobian's squared norm is estimated without bias, up to the length of the "
    "step, by one finite difference along a random Gaussian direction (Hutchinson 1989, "
    "doi:10.1080/03610918908812806)."
)
def contractive(encoder: Any, decoder: Any, loss: Callable, images: Any, random: Any) -> Any:
    """The mean loss + CONTRACTION · ‖(f(x + STEP·v) - f(x)) / STEP‖², v normal: its mean is ‖∂f/∂x‖² (Frobenius)."""
    import keras
    from keras import ops

    from study.autoencoders import code_of

    encoded = encoder(images, training=True)
    direction = keras.random.normal(ops.shape(images), seed=random)
    moved = code_of(encoder(images + STEP * direction, training=True))
    slope = (moved - code_of(encoded)) / STEP
    penalty = ops.mean(ops.sum(ops.square(slope), axis=1))
    return ops.mean(loss(images, decoder(encoded, training=True))) + CONTRACTION * penalty


@level(
    why="The variational autoencoder, which the Keras example itself is (Kingma and Welling 2014, arXiv:1312.6114): "
    "the code of an image is a Gaussian, drawn from in training and held near the standard normal by a divergence. "
    "Codes then fill a region that one can draw from. Expected: reconstruction loses, and generation gains. The loss "
    "stands for the negative log-likelihood of a pixel; only BCE, and MSE as a Gaussian of variance 1/2, are such "
    "likelihoods. Where the divergence costs more than a unit earns, the unit falls silent.",
    doubles_code=True,
)
def variational(encoder: Any, decoder: Any, loss: Callable, images: Any, random: Any) -> Any:
    """The negative evidence lower bound of an image: mean loss × (H·W·C) + KL(N(μ, σ²) ‖ N(0, 1)), in nats for BCE.

    Of an image and not of a pixel, as in the Keras example: divided by the 784 pixels of a 28×28 image, most gradients
    of the encoder would begin below Adam's epsilon, which then decides what is learnt.
    """
    import keras
    from keras import ops

    mean, log_variance = posterior(encoder, images)
    code = mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=random)
    reconstruction = ops.mean(loss(images, decoder(code, training=True)))
    return reconstruction * math.prod(images.shape[1:]) + ops.mean(divergence(mean, log_variance))


def posterior(encoder: Any, images: Any, training: bool = True) -> tuple[Any, Any]:
    """Mean and log-variance, both (N, k), of the codes of a variational encoder."""
    from keras import ops

    return tuple(ops.split(encoder.get_layer("posterior")(images, training=training), 2, axis=1))


def divergence(mean: Any, log_variance: Any) -> Any:
    """KL(N(μ, diag σ²) ‖ N(0, I)) in nats: (N, k), (N, k) → (N,). Kingma and Welling 2014, appendix B."""
    from keras import ops

    return -0.5 * ops.sum(1 + log_variance - ops.square(mean) - ops.exp(log_variance), axis=1)


REGULARIZERS: dict[str, Callable] = {
    "none": none,
    "denoising": denoising,
    "sparse": sparse,
    "contractive": contractive,
    "variational": variational,
}
