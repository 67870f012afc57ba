"""Do residual blocks fit into an autoencoder? Plain against residual, with nothing but the skips between them.

Question: as networks get deeper, do plain ones stop training while residual ones go on, as He et al. (2016,
          arXiv:1512.03385) found for classifiers? `plain_deep` has the same layers, normalisation and parameters as
          `residual`; only the additions are missing. `depth` counts the blocks of a stage.
Command:  python -m study.search residual_depth
Cost:     80 trials of 10 epochs on 2,000 images; about an hour on 2 cores, most of it at depth 8.
Expect:   no difference at depth 1, where two convolutions need no help; a growing one at 4 and 8, unless the
          normalisation alone keeps the plain network trainable.
"""

DEPTHS = [1, 2, 4, 8]

BASELINE = dict(
    dataset="mnist", architecture="plain_deep", latent_dim=16, loss="mse", depth=1, train_size=2_000, batch_size=32
)

BLOCKS = {"depth": dict(architecture=["plain_deep", "residual"], depth=DEPTHS)}

TRAINING = dict(epochs=10, seeds=10)

FAMILIES = {
    "skips": dict(
        metric="test_mse",
        contrasts=[
            (dict(architecture="residual", depth=depth), dict(architecture="plain_deep", depth=depth))
            for depth in DEPTHS
        ],
    ),
    "depth": dict(
        metric="test_mse",
        contrasts=[
            (dict(architecture=architecture, depth=depth), dict(architecture=architecture, depth=1))
            for architecture in ("plain_deep", "residual")
            for depth in DEPTHS[1:]
        ],
    ),
}
