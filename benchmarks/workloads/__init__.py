"""The training steps that are measured, by name."""

from benchmarks.workloads import mlp
from benchmarks.workloads.lenet import LENET
from benchmarks.workloads.lstm import LSTM
from benchmarks.workloads.training import Training, Workload, export_parameters, import_parameters
from benchmarks.workloads.transformer import TRANSFORMER

WORKLOADS: dict[str, Workload] = {
    "mlp-tiny": mlp.workload(3, 4, 4, 1, batch=4),
    "mlp-small": mlp.workload(64, 128, 128, 10, batch=32),
    "mlp-large": mlp.workload(784, 256, 128, 10, batch=128),
    "lenet": LENET,
    "lstm": LSTM,
    "transformer": TRANSFORMER,
}
