"""Anomaly detection with one digit held as normal: the protocol of Deep SVDD, for each of MNIST's ten digits.

Question: how well does an autoencoder that was trained on one digit alone tell it from the nine others, against PCA
          and against the published deep convolutional autoencoder (Ruff et al. 2018, PMLR 80, Table 1)? `ruff2018` is
          that paper's network on its preprocessing, here with 32 units of code.
Command:  python -m study.search one_class, then python -m analysis.anomaly one_class
Cost:     60 trials of 20 epochs on about 4,000 images each; about 37 minutes on 2 cores.
Expect:   mean ROC-AUC near 0.90 for `ruff2018`, as published; PCA at the same size is hard to beat.
"""

DIGITS = list(range(10))

BASELINE = dict(
    dataset="mnist", architecture="ruff2018", latent_dim=32, loss="mse", normal_class=0, preprocessing="l1_contrast"
)

BLOCKS = {
    "paper": dict(normal_class=DIGITS),
    "cnn": dict(normal_class=DIGITS, architecture=["cnn"], preprocessing=["unit"]),
}

TRAINING = dict(epochs=20, seeds=3)
