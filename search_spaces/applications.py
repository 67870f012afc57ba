"""What is a trained autoencoder good for? The models that Problem 2 is answered with, on MNIST.

Question: how well do autoencoders fill in, remove noise, find anomalies and generate, from one latent unit to 64; what
          does it change to train with noise (`denoising`) or towards a distribution to draw from (`variational`); and
          is the size that reconstructs best the one that serves each application best?
Command:  python -m study.search applications, then python -m analysis.inpainting applications, and likewise denoising,
          anomaly and generation, and python -m analysis.latent_elbow applications --application denoising
Cost:     60 trials of 20 epochs on 10,000 images; about 50 minutes on 2 cores.
Expect:   each application asks for another size; noise is removed best by models trained on noise; the code of the
          variational model can be drawn from.
"""

SIZES = [1, 2, 4, 8, 16, 32, 64]

BASELINE = dict(dataset="mnist", architecture="keras_io", latent_dim=2, loss="bce", train_size=10_000)

BLOCKS = {
    "sizes": dict(architecture=["cnn"], loss=["mse"], latent_dim=SIZES),
    "denoising": dict(architecture=["cnn"], loss=["mse"], latent_dim=[32, 64], regularizer=["denoising"]),
    "variational": dict(latent_dim=[2, 8], regularizer=["variational"]),
}

TRAINING = dict(epochs=20, seeds=5)

FAMILIES = {
    "denoising": dict(
        metric="test_mse",
        contrasts=[
            (
                dict(architecture="cnn", loss="mse", latent_dim=k, regularizer="denoising"),
                dict(architecture="cnn", loss="mse", latent_dim=k),
            )
            for k in (32, 64)
        ],
    ),
    "variational": dict(metric="test_mse", contrasts=[(dict(regularizer="variational"), {})]),
}
