"""The whole assignment in miniature, with no network: every section of the report has something to show.

Question: what would each study show? Small images and few seeds: a tour of the questions, not their answers.
Command:  python -m study.search tour
Cost:     224 trials of 20 epochs on about 1,000 images; about 9 minutes on 2 cores.
Expect:   the same directions as in the large studies where effects are large (latent size, U-Net). Four seeds resolve
          little: with them no two-sided sign-flip test can give a p below 0.125, and the texts say so.
"""

BASELINE = dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="bce", batch_size=32)

ARCHITECTURES_TRIED = ["cnn", "deep_cnn", "dense", "residual", "convnext", "attention", "unet"]
LATENT_SIZES = [1, 3, 8, 16]
LOSSES_TRIED = ["mse", "mae", "huber", "ssim", "mse_ssim", "focal_frequency"]
REGULARIZERS_TRIED = ["denoising", "sparse", "contractive", "variational"]
COLOUR = "photo_patches"
COLOUR_SIZES = [1, 8, 16]
ELBOW_SIZES = [1, 2, 4, 8, 16, 32]
DEPTHS = [1, 2, 4]
TRAIN_SIZES = [100, 300]
CNN = dict(architecture="cnn", loss="mse")  # the network of the elbow, and its loss

BLOCKS = {
    "architecture": dict(architecture=ARCHITECTURES_TRIED),
    "latent": dict(latent_dim=LATENT_SIZES),
    "loss": dict(loss=LOSSES_TRIED),
    "dataset": dict(dataset=[COLOUR], latent_dim=[2, *COLOUR_SIZES]),
    "regularizer": dict(regularizer=REGULARIZERS_TRIED),
    "elbow": dict(architecture=["cnn", "linear"], loss=["mse"], latent_dim=ELBOW_SIZES),
    "factorial": dict(architecture=["keras_io", "cnn"], loss=["bce", "mse"], latent_dim=[2, 8]),
    "denoising": dict(architecture=["cnn"], loss=["mse"], latent_dim=[32], regularizer=["denoising"]),
    "depth": dict(architecture=["plain_deep", "residual"], loss=["mse"], latent_dim=[8], depth=DEPTHS),
    "train_size": dict(architecture=["cnn"], loss=["mse"], latent_dim=[8], train_size=TRAIN_SIZES),
    "one_class": dict(architecture=["cnn"], loss=["mse"], latent_dim=[8], normal_class=[0, 1]),
    "one_class_paper": dict(
        architecture=["ruff2018"], loss=["mse"], latent_dim=[8], normal_class=[0, 1], preprocessing=["l1_contrast"]
    ),
    "randomness": dict(randomness=["weights", "batch_order", "splits"]),
}

TRAINING = dict(epochs=20, seeds=4)

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
    "dataset": dict(metric="test_fvu", contrasts=[(dict(dataset=COLOUR), {})]),
    "dataset_latent": dict(
        metric="test_mse", contrasts=[(dict(dataset=COLOUR, latent_dim=k), dict(dataset=COLOUR)) for k in COLOUR_SIZES]
    ),
    "regularizer": dict(metric="test_mse", contrasts=[(dict(regularizer=name), {}) for name in REGULARIZERS_TRIED]),
    "linear": dict(
        metric="test_mse",
        contrasts=[
            (dict(**CNN, latent_dim=k), dict(architecture="linear", loss="mse", latent_dim=k)) for k in ELBOW_SIZES
        ],
    ),
    "skips": dict(
        metric="test_mse",
        contrasts=[
            (
                dict(architecture="residual", loss="mse", latent_dim=8, depth=depth),
                dict(architecture="plain_deep", loss="mse", latent_dim=8, depth=depth),
            )
            for depth in DEPTHS
        ],
    ),
    "train_size": dict(
        metric="test_mse",
        contrasts=[(dict(**CNN, latent_dim=8, train_size=size), dict(**CNN, latent_dim=8)) for size in TRAIN_SIZES],
    ),
}
