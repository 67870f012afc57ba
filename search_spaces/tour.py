"""The whole assignment in miniature, with no network: every section of the report has something to show.

Question: what would each study show? Small images and few seeds: a tour of the questions, not their answers.
Command:  python -m study.search tour
Cost:     at most 15 minutes on 2 cores.
Expect:   the same directions as in the large studies where effects are large (latent size, U-Net); three seeds resolve
          nothing, and the texts say so.
"""

BASELINE = dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="bce", batch_size=32)

ARCHITECTURES_TRIED = ["cnn", "deep_cnn", "dense", "residual", "convnext", "attention", "unet"]
LOSSES_TRIED = ["mse", "mae", "huber", "ssim", "mse_ssim", "focal_frequency"]
REGULARIZERS_TRIED = ["denoising", "sparse", "contractive", "variational"]
LATENT_SIZES = [1, 3, 8, 16]

BLOCKS = {
    "architecture": dict(architecture=ARCHITECTURES_TRIED),
    "linear": dict(architecture=["linear"], loss=["mse"], latent_dim=[1, 2, 4, 8, 16]),
    "latent": dict(latent_dim=LATENT_SIZES),
    "loss": dict(loss=LOSSES_TRIED),
    "dataset": dict(dataset=["photo_patches"], latent_dim=[2, 8]),
    "regularizer": dict(regularizer=REGULARIZERS_TRIED),
    "elbow": dict(architecture=["cnn"], loss=["mse"], latent_dim=[1, 2, 4, 8, 16]),
    "depth": dict(architecture=["plain_deep", "residual"], depth=[1, 4]),
    "train_size": dict(architecture=["cnn"], loss=["mse"], latent_dim=[8], train_size=[100, 300]),
    "one_class": dict(architecture=["cnn"], loss=["mse"], latent_dim=[8], normal_class=[0, 1]),
}

TRAINING = dict(epochs=10, seeds=3)

FAMILIES = {
    "architecture": dict(
        metric="test_mse",
        contrasts=[
            *((dict(architecture=name), {}) for name in ARCHITECTURES_TRIED),
            (dict(architecture="linear", loss="mse"), dict(loss="mse")),
        ],
    ),
    "latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=k), {}) for k in LATENT_SIZES]),
    "loss": dict(metric="test_mse", contrasts=[(dict(loss=name), {}) for name in LOSSES_TRIED]),
    "dataset": dict(metric="test_fvu", contrasts=[(dict(dataset="photo_patches"), {})]),
    "regularizer": dict(metric="test_mse", contrasts=[(dict(regularizer=name), {}) for name in REGULARIZERS_TRIED]),
    "skips": dict(
        metric="test_mse",
        contrasts=[
            (dict(architecture="residual", depth=depth), dict(architecture="plain_deep", depth=depth))
            for depth in (1, 4)
        ],
    ),
}
