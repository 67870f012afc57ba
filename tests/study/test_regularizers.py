"""The regularizers: closed forms, reproducibility, and the variational autoencoder of the Keras example."""

import math

import numpy as np
import pytest

from study import autoencoders, datasets, records, training
from study.architectures import ARCHITECTURES
from study.errors import InputError
from study.losses import LOSSES
from study.regularizers import CONTRACTION, NOISE, REGULARIZERS, SPARSITY
from study.space import DEFAULTS

SHAPE = (8, 8, 1)


def cell(**levels):
    return {**DEFAULTS, **dict(dataset="digits", architecture="cnn", latent_dim=4, loss="bce"), **levels}


def images(n=64):
    data = datasets.load("digits")
    return datasets.to_unit(data.x_train[:n], data.value_range)


def networks(**levels):
    model = autoencoders.build(cell(**levels), SHAPE, 0, ARCHITECTURES)
    return model, model.get_layer("encoder"), model.get_layer("decoder")


def objective(name, model, loss="mse", seed=1, batch=None):
    import keras

    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    batch = images() if batch is None else batch
    return float(REGULARIZERS[name](encoder, decoder, LOSSES[loss], batch, keras.random.SeedGenerator(seed)))


def test_none_is_the_mean_loss():
    model, *_ = networks()
    expected = np.mean((images() - model.predict(images(), verbose=0)) ** 2)
    assert objective("none", model) == pytest.approx(expected, rel=1e-5)


def test_denoising_compares_with_the_clean_image():
    """With a decoder that passes its input on, the loss is that of the clipped noise itself."""
    import keras

    same = keras.Sequential([keras.Input(SHAPE), keras.layers.Identity()])
    grey = np.full((200, *SHAPE), 0.5, np.float32)
    random = keras.random.SeedGenerator(3)
    found = float(REGULARIZERS["denoising"](same, same, LOSSES["mse"], grey, random))
    draws = np.clip(0.5 + NOISE * np.random.default_rng(0).standard_normal(10**6), 0, 1)
    assert found == pytest.approx(np.mean((draws - 0.5) ** 2), rel=0.03)


def test_sparse_penalty_ignores_the_scale_of_the_code():
    import keras

    code = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    penalties = []
    for scale in (1.0, 0.001):
        encoder = keras.Sequential([keras.Input(SHAPE), keras.layers.Identity()])
        encoder.call = lambda x, scale=scale, **_: scale * code
        decoder = keras.Sequential([keras.Input((4,)), keras.layers.Identity()])
        decoder.call = lambda z, **_: images()
        penalties.append(float(REGULARIZERS["sparse"](encoder, decoder, LOSSES["mse"], images(), None)))
    expected = SPARSITY * np.mean(np.abs(code)) / np.sqrt(np.mean(code**2))
    assert penalties[0] == pytest.approx(expected, rel=1e-4)
    assert penalties[1] == pytest.approx(expected, rel=1e-3)


def test_contractive_estimates_the_frobenius_norm_of_the_jacobian():
    """For a linear encoder the Jacobian is its weights."""
    model, encoder, _ = networks(architecture="linear", loss="mse")
    weights = encoder.get_weights()[0]
    plain = objective("none", model)
    many = np.concatenate([images()] * 40)
    penalty = objective("contractive", model, batch=many) - objective("none", model, batch=many)
    assert plain > 0
    assert penalty == pytest.approx(CONTRACTION * np.sum(weights**2), rel=0.05)


def test_divergence_against_hand_computed_values():
    from study.regularizers import divergence

    mean, log_variance = np.array([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]]), np.array([[0, 0], [0, 0], [math.log(4), 0]])
    expected = [0.0, 0.5 * (1 + 4), 0.5 * (4 - 1 - math.log(4))]
    assert np.allclose(np.asarray(divergence(mean.astype("float32"), log_variance.astype("float32"))), expected)


def test_variational_has_the_parameters_of_the_keras_example():
    """https://keras.io/examples/generative/vae/: encoder 69,076, decoder 65,089 parameters."""
    model = autoencoders.build(
        cell(architecture="keras_io", latent_dim=2, regularizer="variational"), (28, 28, 1), 0, ARCHITECTURES
    )
    assert model.get_layer("encoder").count_params() == 69_076
    assert model.get_layer("decoder").count_params() == 65_089


def test_variational_code_is_the_mean():
    from study.regularizers import posterior

    _, encoder, _ = networks(regularizer="variational")
    mean, log_variance = posterior(encoder, images(), training=False)
    # called and traced, sums may be taken in another order
    np.testing.assert_allclose(np.asarray(mean), encoder.predict(images(), verbose=0), rtol=1e-5, atol=1e-6)
    assert np.asarray(log_variance).shape == (64, 4)


def test_variational_is_the_objective_of_the_keras_example(monkeypatch):
    """The same weights, images and draws: the same loss and the same gradients, from the example's formula."""
    import keras
    import tensorflow as tf

    _, encoder, decoder = networks(regularizer="variational")
    noise = tf.constant(np.random.default_rng(0).normal(size=(64, 4)), tf.float32)
    monkeypatch.setattr(keras.random, "normal", lambda shape, seed: noise)
    variables = [*encoder.trainable_variables, *decoder.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        ours = REGULARIZERS["variational"](encoder, decoder, LOSSES["bce"], images(), None)
        mean, log_variance = tf.split(encoder.get_layer("posterior")(images()), 2, axis=1)
        output = decoder(mean + tf.exp(0.5 * log_variance) * noise)
        pixels = tf.reduce_sum(keras.losses.binary_crossentropy(images(), output), axis=(1, 2))
        kl = -0.5 * (1 + log_variance - tf.square(mean) - tf.exp(log_variance))
        theirs = tf.reduce_mean(pixels) + tf.reduce_mean(tf.reduce_sum(kl, axis=1))
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)
    for one, other in zip(tape.gradient(ours, variables), tape.gradient(theirs, variables), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * float(tf.reduce_max(tf.abs(other))))


@pytest.mark.parametrize("name", REGULARIZERS)
def test_a_trial_gives_the_same_bits_whatever_ran_before(name):
    """The compiled step is reused by other seeds in between; its random draws start anew with every trial."""
    data, levels = datasets.load("digits"), cell(regularizer=name, train_size=200, batch_size=64)
    first, _, again = (training.train(levels, seed, dict(epochs=2), data) for seed in (0, 1, 0))
    assert {k: v for k, v in first.values.items() if k not in records.TIMES} == {
        k: v for k, v in again.values.items() if k not in records.TIMES
    }
    assert first.status == "completed"


@pytest.mark.slow
def test_variational_trains_like_the_keras_example():
    """Five epochs on 10,000 MNIST images: reconstruction within 4 %, divergence within 40 % of the example's recipe.

    Both sides start from the same weights and take the images in the same order; what is drawn for the codes differs,
    which alone moves the reconstruction of a seed by up to 4 % and its divergence by up to 40 %. From other weights
    the reconstruction moves by 10 %: so early, the weights decide.
    """
    try:
        data = datasets.load("mnist")
    except InputError as error:
        pytest.skip(str(error))
    levels = cell(dataset="mnist", architecture="keras_io", latent_dim=2, regularizer="variational", train_size=10_000)
    ours, theirs = [], []
    for seed in range(3):
        record = training.train(levels, seed, dict(epochs=5), data)
        splits = datasets.split(data, seed, 10_000)
        test = datasets.to_unit(data.x_test[:2000], data.value_range)
        ours.append(_elbo_parts(record.model.get_layer("encoder").get_layer("posterior"), record.model, test))
        fresh = autoencoders.build(levels, data.shape, seed, ARCHITECTURES)
        encoder, decoder = _keras_example(datasets.to_unit(splits.train, data.value_range), seed, fresh)
        theirs.append(_elbo_parts(encoder, None, test, decoder))
    ours_mean, theirs_mean = np.mean(ours, axis=0), np.mean(theirs, axis=0)
    assert ours_mean[0] == pytest.approx(theirs_mean[0], rel=0.04)
    assert ours_mean[1] == pytest.approx(theirs_mean[1], rel=0.40)


def _elbo_parts(posterior, model, test, decoder=None):
    """Reconstruction loss (summed over pixels, at the mean code) and divergence, in nats an image."""
    mean, log_variance = np.split(posterior.predict(test, verbose=0), 2, axis=1)
    output = np.clip((decoder or model.get_layer("decoder")).predict(mean, verbose=0), 1e-7, 1 - 1e-7)
    loss = -(test * np.log(output) + (1 - test) * np.log(1 - output)).sum(axis=(1, 2, 3)).mean()
    return loss, (0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)).sum(axis=1).mean()


def _keras_example(train, seed, fresh):
    """The recipe of the example, written anew: encoder → [mean, log-variance], decoder; from the weights of `fresh`."""
    import keras
    import tensorflow as tf
    from keras import layers

    inputs = keras.Input((28, 28, 1))
    x = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(inputs)
    x = layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Dense(16, activation="relu")(layers.Flatten()(x))
    encoder = keras.Model(inputs, layers.Concatenate()([layers.Dense(2)(x), layers.Dense(2)(x)]))
    latent = keras.Input((2,))
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, activation="relu")(latent))
    x = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(x)
    decoder = keras.Model(latent, layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(x))
    *before, kernel, bias = fresh.get_layer("encoder").get_layer("posterior").get_weights()
    encoder.set_weights([*before, kernel[:, :2], bias[:2], kernel[:, 2:], bias[2:]])
    decoder.set_weights(fresh.get_layer("decoder").get_weights())
    optimizer = keras.optimizers.Adam()

    @tf.function
    def step(batch, noise):
        with tf.GradientTape() as tape:
            mean, log_variance = tf.split(encoder(batch, training=True), 2, axis=1)
            output = decoder(mean + tf.exp(0.5 * log_variance) * noise, training=True)
            pixels = keras.losses.binary_crossentropy(batch, output)
            reconstruction = tf.reduce_mean(tf.reduce_sum(pixels, axis=(1, 2)))
            kl = -0.5 * (1 + log_variance - tf.square(mean) - tf.exp(log_variance))
            total = reconstruction + tf.reduce_mean(tf.reduce_sum(kl, axis=1))
        variables = encoder.trainable_variables + decoder.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))

    draws = np.random.default_rng(seed)
    for epoch in range(1, 6):
        order = datasets.rng(seed, "batch order", epoch).permutation(len(train))
        for start in range(0, len(train), 128):
            batch = train[order[start : start + 128]]
            step(tf.constant(batch), tf.constant(draws.standard_normal((len(batch), 2)), tf.float32))
    return encoder, decoder
