"""Training and prediction through `keras.Model.fit`, for every backend without a fast path of its own (JAX)."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from study.autoencoders import code_of
from study.datasets import to_unit

PREDICTION_BATCH = 500


def one_thread() -> None:
    """Nothing to do here: workers start with the environment variables that XLA reads."""


class _Objective(keras.Model):
    """A model whose output is the objective of its batch, so that `fit` minimises it."""

    def __init__(self, model: Any, loss: Callable, regularizer: Callable) -> None:
        super().__init__(name="objective")  # a class name that begins with "_" is no scope name to TensorFlow
        self.encoder, self.decoder = model.get_layer("encoder"), model.get_layer("decoder")
        self.image_loss, self.regularizer = loss, regularizer
        self.random = keras.random.SeedGenerator(0)

    def call(self, images: Any) -> Any:
        return self.regularizer(self.encoder, self.decoder, self.image_loss, images, self.random)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:
        return y_pred


class _Prediction(keras.Model):
    """A model that returns code, reconstruction and loss of each image."""

    def __init__(self, model: Any, loss: Callable) -> None:
        super().__init__(name="prediction")
        self.encoder, self.decoder, self.image_loss = model.get_layer("encoder"), model.get_layer("decoder"), loss

    def call(self, images: Any) -> Any:
        encoded = self.encoder(images, training=False)
        reconstructions = self.decoder(encoded, training=False)
        return code_of(encoded), reconstructions, self.image_loss(images, reconstructions)


class Steps:
    """As `study.steps_tensorflow.Steps`, with the same arguments and methods."""

    def __init__(
        self,
        model: Any,
        loss: Callable,
        regularizer: Callable,
        learning_rate: float,
        batch_size: int,
        value_range: tuple[float, float],
    ) -> None:
        self.model, self.batch_size, self.value_range = model, batch_size, value_range
        self.objective, self.prediction = _Objective(model, loss, regularizer), _Prediction(model, loss)
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(model.trainable_variables)
        self.objective.compile(self.optimizer)

    def start(self, weights: list[np.ndarray], seed: int) -> None:
        """Fresh weights, a fresh optimizer, fresh random draws."""
        self.model.set_weights(weights)
        self.objective.random.state.assign([seed, 0])
        for variable in self.optimizer.variables:
            if variable is not self.optimizer._learning_rate:
                variable.assign(keras.ops.zeros(variable.shape, variable.dtype))

    def resident(self, images: np.ndarray) -> np.ndarray:
        """The images as the other methods want them."""
        return images

    def epoch(self, images: np.ndarray, order: np.ndarray) -> float:
        """Trains one epoch over `images` in this `order` (N,); the mean objective over its images."""
        batch = to_unit(images[order], self.value_range)
        history = self.objective.fit(batch, batch_size=self.batch_size, shuffle=False, verbose=0)
        return float(history.history["loss"][0])

    def predict(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Codes (N, k), reconstructions (N, H, W, C) and losses (N,) of stored images."""
        unit = to_unit(images, self.value_range)
        codes, reconstructions, losses = self.prediction.predict(unit, batch_size=PREDICTION_BATCH, verbose=0)
        return codes, reconstructions, losses

    def gradient_scale(self) -> float:
        """Root of the mean of Adam's second moment over the first kernel: the size of the gradients that reach it."""
        return float(np.sqrt(np.mean(np.asarray(self.optimizer._velocities[0]), dtype=np.float64)))
