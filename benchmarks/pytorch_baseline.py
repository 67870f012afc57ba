"""The baseline in plain PyTorch, two threads: the third side of `benchmarks.against_keras_tuner`.

    PYTHON -m benchmarks.pytorch_baseline --data-dir DIR [--seeds 2]

Needs an interpreter with PyTorch and NumPy only. Same layers, splits, batch size, epochs, Adam settings; prints JSON.
"""

import argparse
import json
import time

import numpy as np
import torch
from torch import nn

from benchmarks import mnist_baseline
from study import datasets

EPOCHS, BATCH = mnist_baseline.TRAINING["epochs"], 128


def main() -> None:
    """Trains every seed and prints seconds, images a second and the final validation errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(2)
    data = datasets.load("mnist", options.data_dir)
    started, epochs, errors = time.perf_counter(), [], {}
    for seed in range(options.seeds):
        splits = datasets.split(data, seed)
        train, val = (
            torch.tensor(datasets.to_unit(images, data.value_range)).permute(0, 3, 1, 2).contiguous()
            for images in (splits.train, splits.val)
        )
        seconds, errors[f"mnist-keras_io-k2-bce-s{seed:02d}"] = _train(seed, train, val)
        epochs += seconds[1:]
    total = time.perf_counter() - started
    rate = len(train) / float(np.median(epochs))
    result = {"seconds": total, "training_seconds": total, "start_up": 0.0, "images_per_second": rate}
    print(json.dumps({**result, "val_mse": errors}))


def _train(seed: int, train: torch.Tensor, val: torch.Tensor) -> tuple[list[float], float]:
    torch.manual_seed(seed)
    model = _model()
    for layer in model:
        if hasattr(layer, "weight"):  # Keras' initial weights, so that the sides differ in speed alone
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, eps=1e-7)
    loss = nn.BCELoss()
    seconds = []
    for epoch in range(1, EPOCHS + 1):
        started = time.perf_counter()
        order = torch.tensor(datasets.rng(seed, "batch order", epoch).permutation(len(train)))
        for start in range(0, len(train), BATCH):
            batch = train[order[start : start + BATCH]]
            optimizer.zero_grad()
            loss(model(batch), batch).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - started)
        with torch.no_grad():
            error = float(np.mean([float(((model(part) - part) ** 2).mean()) for part in val.split(500)]))
    return seconds, error


def _model() -> nn.Sequential:
    return nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)),  # Keras' "same" padding of a strided convolution
        nn.Conv2d(1, 32, 3, stride=2),
        nn.ReLU(),
        nn.ZeroPad2d((0, 1, 0, 1)),
        nn.Conv2d(32, 64, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 16),
        nn.ReLU(),
        nn.Linear(16, 2),
        nn.Linear(2, 7 * 7 * 64),
        nn.ReLU(),
        nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 64, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 3, padding=1),
        nn.Sigmoid(),
    )


if __name__ == "__main__":
    main()
