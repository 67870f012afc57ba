"""Turns a search space into records: cells × seeds → trials, each trained once and recorded once."""

import logging
import os

# oneDNN's kernels, which TensorFlow uses by itself on some processors only: elsewhere a convolution takes up to 40 %
# longer. TensorFlow reads this when it is imported; set, not offered, since the last bits of a result depend on it.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"

# What TensorFlow prints by itself is no user's business and hides the progress: that no GPU was found, and, as if one
# model had been traced anew, a line for every model that is traced after some others.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
logging.getLogger("tensorflow").setLevel(logging.ERROR)
