"""TensorFlow's fast path: a whole epoch as one graph over a resident tensor. The only file that uses `tf` itself.

`Model.fit` feeds every batch from Python. Here the images stay in memory in their small type, a permutation goes in,
and one call trains the epoch; a traced step serves every seed of its cell.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from study.autoencoders import code_of

PREDICTION_BATCH = 500


def one_thread() -> None:
    """One thread and deterministic operations: the same bits, whatever else runs on the machine."""
    tf.config.experimental.enable_op_determinism()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # TensorFlow has already run something in this process, with the threads it was given
        return
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


class Steps:
    """Training and prediction of one model, traced once and used for any number of seeds.

    Args:
        model: Images → reconstructions, with layers "encoder" and "decoder".
        loss: (images, reconstructions) → (N,).
        regularizer: (encoder, decoder, loss, images, random) → scalar.
        learning_rate: Adam's.
        batch_size: Images a step; the last step of an epoch takes what is left.
        value_range: The (low, high) of the images as they are stored, mapped to [0, 1] a batch at a time.
    """

    def __init__(
        self,
        model: Any,
        loss: Callable,
        regularizer: Callable,
        learning_rate: float,
        batch_size: int,
        value_range: tuple[float, float],
    ) -> None:
        self.model, self.loss, self.regularizer, self.batch_size = model, loss, regularizer, batch_size
        self.encoder, self.decoder = model.get_layer("encoder"), model.get_layer("decoder")
        self.low, self.scale = np.float32(value_range[0]), np.float32(1 / (value_range[1] - value_range[0]))
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.random = keras.random.SeedGenerator(0)
        self.optimizer.build(model.trainable_variables)
        self._epoch = tf.function(self._epoch_graph, reduce_retracing=True)
        self._predict = tf.function(self._predict_graph, reduce_retracing=True)

    def start(self, weights: list[np.ndarray], seed: int) -> None:
        """Fresh weights, a fresh optimizer, fresh random draws: as after building anew, without tracing anew."""
        self.model.set_weights(weights)
        self.random.state.assign([seed, 0])
        for variable in self.optimizer.variables:
            if variable is not self.optimizer._learning_rate:
                variable.assign(tf.zeros_like(variable))

    def resident(self, images: np.ndarray) -> Any:
        """The images as the other methods want them: copied once to where training happens."""
        return tf.constant(images)

    def epoch(self, images: Any, order: np.ndarray) -> float:
        """Trains one epoch over `images` in this `order` (N,); the mean objective over its images."""
        return float(self._epoch(images, tf.constant(order, tf.int32)))

    def predict(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Codes (N, k), reconstructions (N, H, W, C) and losses (N,) of stored images."""
        starts = range(0, len(images), PREDICTION_BATCH)
        batches = [self._predict(tf.constant(images[i : i + PREDICTION_BATCH])) for i in starts]
        parts = zip(*batches, strict=True)
        codes, reconstructions, losses = (np.concatenate([np.asarray(batch) for batch in part]) for part in parts)
        return codes, reconstructions, losses

    def gradient_scale(self) -> float:
        """Root of the mean of Adam's second moment over the first kernel: the size of the gradients that reach it."""
        return float(np.sqrt(np.mean(np.asarray(self.optimizer._velocities[0]), dtype=np.float64)))

    def _unit(self, images: Any) -> Any:
        return (tf.cast(images, tf.float32) - self.low) * self.scale

    def _epoch_graph(self, images: Any, order: Any) -> Any:
        count = tf.shape(order)[0]
        total = tf.zeros(())
        for start in tf.range(0, count, self.batch_size):
            chosen = order[start : start + self.batch_size]
            objective = self._train_step(self._unit(tf.gather(images, chosen)))
            total += objective * tf.cast(tf.shape(chosen)[0], tf.float32)
        return total / tf.cast(count, tf.float32)

    def _train_step(self, batch: Any) -> Any:
        with tf.GradientTape() as tape:
            objective = self.regularizer(self.encoder, self.decoder, self.loss, batch, self.random)
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(objective, variables), variables)
        return objective

    def _predict_graph(self, images: Any) -> tuple[Any, Any, Any]:
        batch = self._unit(images)
        encoded = self.encoder(batch, training=False)
        reconstructions = self.decoder(encoded, training=False)
        return code_of(encoded), reconstructions, self.loss(batch, reconstructions)
