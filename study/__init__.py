"""Turns a search space into records: cells × seeds → trials, each trained once and recorded once."""

import os

# oneDNN's kernels, which TensorFlow uses by itself on some processors only: elsewhere a convolution takes up to 40 %
# longer. TensorFlow reads this when it is imported; set, not offered, since the last bits of a result depend on it.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
