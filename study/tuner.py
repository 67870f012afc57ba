"""A worker's half of Keras Tuner: takes a trial, trains it, writes its record, and then tells the chief."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner

HEARTBEAT_SECONDS = 5
IDLE_SECONDS = 0.5


class StudyTuner(BaseTuner):
    """Runs the trials that the chief hands out, until there are no more.

    Args:
        oracle: The oracle; on a worker Keras Tuner replaces it with a client of the chief.
        run: Trains the trial of a name and writes its record; returns its metrics, or None if it failed (the record
            says why).
        directory: Where Keras Tuner believes that it keeps its files; none are written.
        after_trial: Called when a trial has ended and the chief knows it.
    """

    def __init__(
        self,
        oracle: Any,
        run: Callable[[str], dict[str, float] | None],
        directory: Path,
        after_trial: Callable[[], None] = lambda: None,
    ) -> None:
        self._run, self._after_trial, self._idle = run, after_trial, False
        super().__init__(oracle, directory=str(directory), project_name="keras_tuner")

    @property
    def project_dir(self) -> str:
        """The folder that the stock tuner would create here."""
        return os.path.join(self.directory, self.project_name)

    def pre_create_trial(self) -> None:
        """Waits a little where the chief had nothing to do: the stock loop would ask again at once."""
        if self._idle:
            time.sleep(IDLE_SECONDS)
        self._idle = True

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Trains one trial. Its metrics, as Keras Tuner wants them: a flat dict of floats.

        Raises:
            keras_tuner.errors.FailedTrialError: The trial failed; the search goes on.
        """
        self._idle = False
        with self._heartbeat(trial.trial_id):
            metrics = self._run(trial.trial_id)
        if metrics is None:
            raise keras_tuner.errors.FailedTrialError(f"{trial.trial_id} failed; its record says why")
        return metrics

    def on_trial_end(self, trial: Any) -> None:
        """Tells the chief, then lets the process decide whether it goes on."""
        self.oracle.end_trial(trial)
        self._after_trial()

    def save(self) -> None:
        """Writes nothing: the records are the state."""

    def reload(self) -> None:
        """Reads nothing."""

    def _get_tuner_fname(self) -> str:
        return os.path.join(self.project_dir, f"{self.tuner_id}.json")

    @contextlib.contextmanager
    def _heartbeat(self, trial_id: str) -> Any:
        """Renews the trial's lease from a thread of its own while the trial runs."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(HEARTBEAT_SECONDS):
                with contextlib.suppress(grpc.RpcError):  # a chief that is gone or new: the record counts all the same
                    self.oracle.get_trial(trial_id)

        threading.Thread(target=beat, daemon=True).start()
        try:
            yield
        finally:
            ended.set()
