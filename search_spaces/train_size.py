"""How many training images? And would training images do better than test images: when does a network memorise?

Question: what do more images buy, and how does the gap between training images and held-out images of the same pool
          close? `linear` is the control: it can hardly memorise.
Command:  python -m study.search train_size
Cost:     60 trials of 20 epochs, a quarter of them on all 40,000 images; 5 seeds; about 2 hours on 2 cores.
Expect:   the error falls and the gap closes with the number of images; the larger code memorises more. Epochs are
          equal, so small training sets also mean fewer updates; a companion with other epochs tells them apart:
          --set epochs=5 --name train_size_5, then python -m analysis.generalization train_size --beside train_size_5
"""

SIZES = [500, 2_000, 10_000, None]

BASELINE = dict(dataset="mnist", architecture="cnn", latent_dim=32, loss="mse", train_size=10_000)

BLOCKS = {
    "size": dict(train_size=SIZES, latent_dim=[2, 32]),
    "linear": dict(architecture=["linear"], train_size=SIZES),
}

TRAINING = dict(epochs=20, seeds=5)

FAMILIES = {
    "size": dict(
        metric="test_mse",
        contrasts=[
            (dict(train_size=size, latent_dim=k), dict(latent_dim=k)) for k in (2, 32) for size in (500, 2_000, None)
        ],
    ),
}
