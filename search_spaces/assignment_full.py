"""A pilot at the Keras example's own size: does the smaller study of `assignment` rank its networks as it would?

Question: `assignment` is cut to 10,000 images and few epochs, so that two cores can repeat it over seeds. Do the
          baseline and two modifications (there a large and an unresolved effect) keep their order and their
          distances on all training images, for as many epochs as the Keras example?
Command:  python -m study.search assignment_full, then python -m analysis.robustness assignment
Cost:     6 trials of 30 epochs on 40,000 images; about 50 minutes on 2 cores.
Expect:   the same order; all errors smaller, the larger code gaining the most.
"""

BASELINE = dict(dataset="mnist", architecture="keras_io", latent_dim=2, loss="bce")

BLOCKS = {"latent": dict(latent_dim=[8]), "architecture": dict(architecture=["dense"])}

TRAINING = dict(epochs=30, seeds=2)

FAMILIES = {
    "architecture": dict(metric="test_mse", contrasts=[(dict(architecture="dense"), {})]),
    "latent": dict(metric="test_mse", contrasts=[(dict(latent_dim=8), {})]),
}
