"""Keras without what TensorFlow says while it is imported, which is no user's business and hides the progress.

TensorFlow writes these lines before it reads TF_CPP_MIN_LOG_LEVEL, past Python, to the process's standard error.
"""

import importlib
import os
import subprocess
import sys
from types import ModuleType

KNOWN = (
    r"All log messages before absl::InitializeLog|oneDNN custom operations are on|Could not find cuda drivers|"
    r"optimized to use available CPU instructions|To enable the following instructions"
)
# In a process of its own: should the import kill this one, what was said before is shown all the same.
FILTER = """
import re, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
known = re.compile(sys.argv[1].encode())
for line in sys.stdin.buffer:
    if not known.search(line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


def keras() -> ModuleType:
    """The module `keras`, imported; of what that says on standard error the `KNOWN` lines are left out."""
    if "keras" in sys.modules:
        return sys.modules["keras"]
    with subprocess.Popen([sys.executable, "-ISc", FILTER, KNOWN], stdin=subprocess.PIPE) as lines:
        assert lines.stdin is not None
        shown = os.dup(2)
        os.dup2(lines.stdin.fileno(), 2)
        try:
            return importlib.import_module("keras")
        finally:
            os.dup2(shown, 2)
            os.close(shown)
            lines.stdin.close()
