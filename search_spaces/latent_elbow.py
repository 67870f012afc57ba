"""How large must the code be? The error over latent sizes 2 … 64, on three data sets.

Question: from which latent size on does the error stay below a given share of the mean image's, for a linear and for
          a convolutional network, and how far is that from the data's intrinsic dimension?
Command:  python -m study.search latent_elbow, then python -m analysis.latent_elbow latent_elbow
Cost:     350 trials of 10 epochs on 10,000 images; about 3 hours and a half on 2 cores; `--seeds 5` halves it.
Expect:   `linear` on PCA's curve; `cnn` below it from about 8 units on, its curve flattening near the intrinsic
          dimension for the two sets of small grey images, later for colour photographs. The baseline itself is not
          here: its 16-unit layer caps every larger latent size.
"""

SIZES = [2, 8, 16, 32, 64]

BASELINE = dict(dataset="mnist", architecture="cnn", latent_dim=2, loss="mse", train_size=10_000)

BLOCKS = {
    "curves": dict(dataset=["mnist", "fashion_mnist", "cifar10"], architecture=["cnn", "linear"], latent_dim=SIZES),
    "dense": dict(architecture=["dense"], latent_dim=SIZES),
}

TRAINING = dict(epochs=10, seeds=10)

FAMILIES = {
    "linear": dict(
        metric="test_mse",
        contrasts=[(dict(latent_dim=k), dict(latent_dim=k, architecture="linear")) for k in SIZES],
    ),
}
