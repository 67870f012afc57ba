"""A residual network: every block adds what it computes to what it was given."""

from typing import Any

from study.architectures import blocks
from study.levels import level


@level(
    why="A residual block learns a change to its input instead of a new representation, so that doing nothing is easy "
    "(He et al. 2016, arXiv:1512.03385); its skip is also commonly said to keep gradients from vanishing on the way to "
    "the first layers. In an autoencoder the skips stay within the encoder and within the decoder; none passes the "
    "code, which remains the only way. Expected: they matter little in networks of a few layers, and deeper ones go on "
    "improving where plain ones get worse.",
    takes_depth=True,
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """Two stages of `depth` (2) residual blocks with 16 and 32 filters; mirrored."""
    return blocks.autoencoder(shape, latent_dim, depth, skips=True)
