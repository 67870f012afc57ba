"""Keras without what TensorFlow says while it is imported, which is no user's business and hides the progress.

TensorFlow writes it before it reads TF_CPP_MIN_LOG_LEVEL, past Python, to the process's standard error.
"""

import importlib
import os
import shutil
import sys
import tempfile
from types import ModuleType


def keras() -> ModuleType:
    """The module `keras`. Where its import fails, all that was said meanwhile is shown."""
    if "keras" in sys.modules:
        return sys.modules["keras"]
    with tempfile.TemporaryFile() as said:
        shown = os.dup(2)
        os.dup2(said.fileno(), 2)
        try:
            return importlib.import_module("keras")
        except BaseException:
            said.seek(0)
            with os.fdopen(os.dup(shown), "wb") as out:
                shutil.copyfileobj(said, out)
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)
