"""A demonstration in minutes, with no network: which parts of the baseline matter on two small data sets?

Command:  python -m study.search quick
Cost:     33 trials of 10 epochs; about 2 minutes on 2 cores.
Expect:   every modification trained and compared; the error falls with the latent size. Three seeds resolve nothing:
          with them no two-sided sign-flip test can give a p below 0.25.
"""

BASELINE = dict(dataset="digits", architecture="keras_io", latent_dim=2, loss="bce", batch_size=32)

BLOCKS = {
    "architecture": dict(architecture=["cnn", "dense"]),
    "linear": dict(architecture=["linear"], loss=["mse"]),  # its outputs leave [0, 1], where BCE is not defined
    "latent": dict(latent_dim=[1, 4, 8, 16]),
    "loss": dict(loss=["mse"]),
    "patches": dict(dataset=["photo_patches"], latent_dim=[2, 8]),
}

TRAINING = dict(epochs=10, seeds=3)

FAMILIES = {
    "architecture": dict(
        metric="test_mse",
        contrasts=[
            (dict(architecture="cnn"), {}),
            (dict(architecture="dense"), {}),
            (dict(architecture="linear", loss="mse"), dict(loss="mse")),
        ],
    ),
    "latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=k), {}) for k in (1, 4, 8, 16)]),
    "loss": dict(metric="test_mse", contrasts=[(dict(loss="mse"), {})]),
    "dataset": dict(metric="test_fvu", contrasts=[(dict(dataset="photo_patches"), {})]),
}

# What `--tuner hyperband` or `--tuner bayesian` explores: pairs are ranges (log scale), lists are choices.
SEARCH = dict(architecture=["keras_io", "cnn", "dense"], latent_dim=(1, 16), learning_rate=(3e-4, 1e-2))
