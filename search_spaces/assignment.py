"""The assignment itself: the plain autoencoder of the Keras example, and each modification applied to it alone.

Question: what does each part of the baseline do: the architecture, the latent size, the loss, the data set (one with
          three channels)? Every modification is one step away from the baseline, which is the Keras example's network,
          loss, optimizer and batch size. And what is the spread over seeds made of: initial weights, batch order, or
          the images that are drawn (`randomness`)?
Command:  python -m study.search assignment --dry-run, then without --dry-run
Cost:     270 trials of 15 epochs on 10,000 images; about 4 hours on 2 cores. `assignment_full` repeats three of
          the 27 cells at the Keras example's own size.
Expect:   the latent size matters most; networks and losses differ by less; the U-Net copies its input past the code;
          what minimises test_mse is mostly training on mse itself.
"""

BASELINE = dict(dataset="mnist", architecture="keras_io", latent_dim=2, loss="bce", train_size=10_000)

ARCHITECTURES_TRIED = ["cnn", "deep_cnn", "dense", "residual", "convnext", "attention", "unet"]
LATENT_SIZES = [1, 3, 8, 16, 32]
LOSSES_TRIED = ["mse", "mae", "huber", "ssim", "mse_ssim", "focal_frequency"]
COLOUR = "cifar10"
COLOUR_SIZES = [1, 8, 16]

BLOCKS = {
    "architecture": dict(architecture=ARCHITECTURES_TRIED),
    "linear": dict(architecture=["linear"], loss=["mse"]),  # its outputs leave [0, 1], where BCE is not defined
    "latent": dict(latent_dim=LATENT_SIZES),
    "loss": dict(loss=LOSSES_TRIED),
    "dataset": dict(dataset=[COLOUR], latent_dim=[2, *COLOUR_SIZES]),
    "randomness": dict(randomness=["weights", "batch_order", "splits"]),
}

TRAINING = dict(epochs=15, seeds=10)

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
}

# What `--tuner hyperband` or `--tuner bayesian` explores: pairs are ranges (log scale), lists are choices.
SEARCH = dict(
    architecture=["keras_io", "cnn", "deep_cnn", "dense", "residual"],
    latent_dim=(1, 32),
    learning_rate=(3e-4, 1e-2),
    batch_size=[32, 128],
    depth=[1, 2],
)
