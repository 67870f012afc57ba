"""The baseline on MNIST, trained long enough for start-up not to matter: the space of the speed comparison."""

BASELINE = dict(dataset="mnist", architecture="keras_io", latent_dim=2, loss="bce")
TRAINING = dict(epochs=5, seeds=2)
