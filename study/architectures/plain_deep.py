"""The residual network without its skips: the same layers, normalisation and parameters."""

from typing import Any

from study.architectures import blocks
from study.levels import level


@level(
    why="The twin of the residual network with nothing but the additions missing. Only against it does a residual "
    "network show what its skips do: against a shallower or otherwise different network depth, width and "
    "normalisation would differ as well. Plain networks were found to train worse as they get deeper (He et al. 2016, "
    "arXiv:1512.03385).",
    takes_depth=True,
)
def build(shape: tuple[int, int, int], latent_dim: int, depth: int | None = None) -> tuple[Any, Any]:
    """Two stages of `depth` (2) plain blocks with 16 and 32 filters; mirrored."""
    return blocks.autoencoder(shape, latent_dim, depth, skips=False)
