"""Which learning rate and batch size suit each architecture and loss? The settings behind `study.search --tuned`.

Question: do the conclusions of `assignment` depend on Keras' default learning rate and batch size, which suit some
          architectures better than others? Each pair of architecture and loss gets the setting with the lowest mean
          `val_mse` over three seeds of its own (100 to 102), so that the seeds that conclusions are drawn from choose
          nothing. `python -m study.search assignment --tuned` then uses the choices.
Command:  python -m study.search nuisance
Cost:     144 trials of 10 epochs on 10,000 images; about 1.5 hours on 2 cores.
Expect:   the default 1e-3 with 128 close to the best for convolutional networks in epochs this few, smaller batches
          a little better because they make more updates.
"""

BASELINE = dict(dataset="mnist", architecture="keras_io", latent_dim=2, loss="bce", train_size=10_000)

SETTINGS = dict(learning_rate=[3e-4, 1e-3, 3e-3], batch_size=[32, 128])

BLOCKS = {
    "architecture": dict(architecture=["keras_io", "cnn", "deep_cnn", "dense"], **SETTINGS),
    "linear": dict(architecture=["linear"], loss=["mse"], **SETTINGS),
    "loss": dict(loss=["mse", "mae", "ssim"], **SETTINGS),
}

TRAINING = dict(epochs=10, seeds=3, first_seed=100)
