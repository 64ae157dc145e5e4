"""What torch refuses, and in which words: of layers, losses, optimisers and data, one call for each reason."""

import re
import warnings

import pytest

from parity_tests.suites._programs import same

GIVEN = object()


def attend(ns, width, embed=None, weight=GIVEN, bias=GIVEN, **options):
    """Self-attention with two heads of a sequence of two, each of `width` numbers, said to be of `embed`."""
    x = ns.ones(2, 1, width)
    weight = ns.ones(3 * width, width) if weight is GIVEN else weight
    bias = ns.ones(3 * width) if bias is GIVEN else bias
    out = ns.ones(width, width), ns.ones(width)
    return ns.nn.functional.multi_head_attention_forward(
        x, x, x, embed or width, 2, weight, bias, None, None, False, 0.0, *out, **options
    )


def words_of(call):
    """The words of the error, in alphabetical order: torch's list what a set of strings happens to begin with."""
    with pytest.raises(ValueError, match="must be one of") as error:
        call()
    return sorted(re.findall(r"\w+", str(error.value)))


REFUSED = {
    "max_pool1d padding": lambda ns: ns.max_pool1d(ns.ones(1, 5), 2, 1, -1),
    "max_pool1d dilation": lambda ns: ns.max_pool1d(ns.ones(1, 5), 2, 1, 0, 0),
    "max_pool1d big padding": lambda ns: ns.max_pool1d(ns.ones(1, 5), 2, 1, 2),
    "avg_pool2d dims": lambda ns: ns.nn.functional.avg_pool2d(ns.ones(5), 2),
    "avg_pool3d dims": lambda ns: ns.nn.functional.avg_pool3d(ns.ones(5, 5), 2),
    "adaptive avg dims": lambda ns: ns.nn.functional.adaptive_avg_pool2d(ns.ones(5), 2),
    "adaptive max dims": lambda ns: ns.nn.functional.adaptive_max_pool2d(ns.ones(5), 2),
    "adaptive_avg_pool3d dims": lambda ns: ns.nn.functional.adaptive_avg_pool3d(ns.ones(5, 2), 2),
    "nll dims": lambda ns: ns.nn.functional.nll_loss(ns.tensor(1.0), ns.tensor(0)),
    "nll size": lambda ns: ns.nn.functional.nll_loss(ns.ones(2, 3), ns.tensor([0])),
    "nll float": lambda ns: ns.nn.functional.nll_loss(ns.ones(2, 3), ns.ones(2)),
    "nll spatial": lambda ns: ns.nn.functional.nll_loss(ns.ones(2, 3, 4), ns.zeros(2, 3).long()),
    "nll 4d": lambda ns: ns.nn.functional.nll_loss(ns.ones(2, 3, 4, 4), ns.zeros(2, 4).long()),
    "nll 4d 2": lambda ns: ns.nn.functional.nll_loss(ns.ones(2, 3, 4, 4), ns.zeros(2, 4, 3).long()),
    "fold dims": lambda ns: ns.nn.functional.fold(ns.ones(4), (2, 2), (1, 1)),
    "unfold dims": lambda ns: ns.nn.functional.unfold(ns.ones(4), 2),
    "adaptive sizes": lambda ns: ns.nn.functional.adaptive_avg_pool2d(ns.ones(5), (2, 2)),
    "adaptive list": lambda ns: ns.nn.AdaptiveMaxPool3d((2, 2, 2))(ns.ones(3)),
    "unpool sizes": lambda ns: ns.nn.functional.max_unpool2d(
        ns.ones(1, 2, 2), ns.zeros(1, 2, 2).long(), 2, output_size=(9, 9)
    ),
    "attention heads": lambda ns: attend(ns, 5, embed=5),
    "attention without weights": lambda ns: attend(ns, 4, weight=None, bias=None),
    "attention without separate weights": lambda ns: attend(
        ns, 4, weight=None, bias=None, use_separate_proj_weight=True
    ),
    "attention of another width": lambda ns: attend(ns, 4, embed=6),
    "attention to static keys": lambda ns: attend(ns, 4, static_k=ns.ones(3, 2, 2)),
    "embedding_bag offsets": lambda ns: ns.nn.functional.embedding_bag(
        ns.tensor([0, 1]), ns.ones(3, 2), ns.tensor([1, 0])
    ),
    "embedding_bag offsets out of reach": lambda ns: ns.nn.functional.embedding_bag(
        ns.tensor([0, 1]), ns.ones(3, 2), ns.tensor([1, 2])
    ),
    "embedding_bag range": lambda ns: ns.nn.functional.embedding_bag(ns.tensor([0, 9]), ns.ones(3, 2), ns.tensor([0])),
    "embedding_bag no offsets": lambda ns: ns.nn.functional.embedding_bag(ns.tensor([0, 1]), ns.ones(3, 2)),
    "conv size": lambda ns: ns.nn.functional.conv2d(ns.ones(1, 1, 2, 2), ns.ones(1, 1, 3, 3)),
    "conv_transpose size": lambda ns: ns.nn.functional.conv_transpose2d(
        ns.ones(1, 1, 1, 1), ns.ones(1, 1, 1, 1), padding=3
    ),
    "a result for a parameter": lambda ns: setattr(ns.nn.Linear(1, 1), "weight", ns.ones(1, 1, requires_grad=True) * 1),
    "a result registered": lambda ns: ns.nn.Linear(1, 1).register_parameter("q", ns.nn.Parameter(ns.ones(1)) * 1),
    "set_submodule": lambda ns: ns.nn.Sequential(ns.nn.Linear(1, 1)).set_submodule("a.b", ns.nn.Linear(1, 1)),
    "get_submodule": lambda ns: ns.nn.Sequential(ns.nn.Linear(1, 1)).get_submodule("0.weight"),
    "get_parameter": lambda ns: ns.nn.Sequential(ns.nn.Linear(1, 1)).get_parameter("0.nosuch"),
    "pad negative": lambda ns: ns.nn.functional.pad(ns.ones(2), (-3, 0)),
    "pad negative, reflected": lambda ns: ns.nn.functional.pad(ns.ones(1, 2), (-2, 0), mode="reflect"),
    "a wide circular pad": lambda ns: ns.nn.functional.pad(ns.ones(1, 1, 2), (3, 0), mode="circular"),
    "a negative circular pad": lambda ns: ns.nn.functional.pad(ns.ones(1, 1, 3), (-3, 0), mode="circular"),
    "a circular pad that leaves nothing": lambda ns: ns.nn.functional.pad(ns.ones(1, 1, 3), (-2, -2), mode="circular"),
    "a replicating pad that leaves nothing": lambda ns: ns.nn.functional.pad(
        ns.ones(1, 1, 3), (-2, -2), mode="replicate"
    ),
    "gru params": lambda ns: ns.gru(ns.ones(1, 1, 1), ns.ones(1, 1, 1), [], True, 1, 0.0, False, False, False),
    "lstm states": lambda ns: ns.lstm(
        ns.ones(1, 1, 1), [ns.ones(1, 1, 1)], [ns.ones(4, 1)] * 2, False, 1, 0.0, False, False, False
    ),
    "pack zero": lambda ns: ns.nn.utils.rnn.pack_padded_sequence(ns.ones(2, 1, 1), ns.tensor([0])),
    "pack order": lambda ns: ns.nn.utils.rnn.pack_padded_sequence(ns.ones(2, 2, 1), ns.tensor([1, 2])),
    "cross_entropy prob dims": lambda ns: ns.nn.functional.cross_entropy(ns.ones(2, 3), ns.ones(2, 4)),
    "cross_entropy ignore": lambda ns: ns.nn.functional.cross_entropy(ns.ones(2, 3), ns.ones(2, 3), ignore_index=1),
    "cross_entropy weight": lambda ns: ns.nn.functional.cross_entropy(ns.ones(2, 3), ns.ones(2, 3), ns.ones(4)),
    "cross_entropy smoothing": lambda ns: ns.nn.functional.cross_entropy(
        ns.ones(2, 3), ns.zeros(2).long(), label_smoothing=2
    ),
    "cross_entropy weight2": lambda ns: ns.nn.functional.cross_entropy(ns.ones(2, 3), ns.zeros(2).long(), ns.ones(4)),
    "cross_entropy 3d": lambda ns: ns.nn.functional.cross_entropy(ns.ones(2, 3, 4), ns.zeros(2, 5).long()),
    "cross_entropy 3d batches": lambda ns: ns.nn.functional.cross_entropy(ns.ones(2, 3, 4, 4), ns.zeros(2, 5).long()),
    "cross_entropy out of range": lambda ns: ns.nn.functional.cross_entropy(ns.ones(2, 3), ns.tensor([0, 7])),
    "mm loss": lambda ns: ns.nn.functional.multi_margin_loss(ns.ones(3), ns.tensor([0, 1])),
    "mm loss p": lambda ns: ns.nn.functional.multi_margin_loss(ns.ones(1, 3), ns.tensor([0]), p=3),
    "MultiMarginLoss weight": lambda ns: ns.nn.MultiMarginLoss(weight=ns.ones(2, 2)),
    "to_dlpack": lambda ns: ns.utils.dlpack.to_dlpack(3),
    "conv weight dims": lambda ns: ns.nn.functional.conv2d(ns.ones(1, 1, 2, 2), ns.ones(1)),
    "conv input dims": lambda ns: ns.nn.functional.conv2d(ns.ones(2), ns.ones(1, 1, 1, 1)),
    "rnn mode": lambda ns: ns.nn.RNNBase("ZZ", 1, 1),
    "rnn dims": lambda ns: ns.nn.RNN(1, 1)(ns.ones(1)),
    "rnn four dimensions": lambda ns: ns.nn.LSTM(1, 1)(ns.ones(1, 1, 1, 1)),
    "rnn size": lambda ns: ns.nn.GRU(2, 1)(ns.ones(1, 1, 1)),
    "rnn hidden": lambda ns: ns.nn.GRU(1, 2)(ns.ones(1, 1, 1), ns.ones(3, 1, 2)),
    "rnn empty": lambda ns: ns.nn.RNN(1, 1)(ns.ones(0, 1, 1)),
    "group_norm weight": lambda ns: ns.group_norm(ns.ones(1, 4), 2, ns.ones(2, 2)),
    "batch_norm mean": lambda ns: ns.batch_norm(
        ns.ones(2, 4), None, None, ns.ones(2, 2), ns.ones(4), True, 0.1, 1e-5, False
    ),
    "layer_norm": lambda ns: ns.layer_norm(ns.ones(2, 4), (3,)),
    "utils attribute": lambda ns: ns.utils.nosuch,
    "module hook": lambda ns: (
        (layer := ns.nn.Linear(1, 1)).register_full_backward_hook(lambda *given: (ns.ones(1),)),
        layer(ns.ones(1, 1)).sum().backward(),
    ),
    "interpolate both": lambda ns: ns.nn.functional.interpolate(ns.ones(1, 1, 2), size=2, scale_factor=2),
    "interpolate none": lambda ns: ns.nn.functional.interpolate(ns.ones(1, 1, 2)),
    "interpolate mode": lambda ns: ns.nn.functional.interpolate(ns.ones(1, 1, 2), 2, mode="zz"),
    "interpolate align": lambda ns: ns.nn.functional.interpolate(
        ns.ones(1, 1, 2), 2, mode="nearest", align_corners=True
    ),
    "interpolate bilinear 3d": lambda ns: ns.nn.functional.interpolate(ns.ones(1, 1, 2), 2, mode="bilinear"),
    "interpolate lens": lambda ns: ns.nn.functional.interpolate(ns.ones(1, 1, 2, 2), (2, 2, 2)),
    "conv padding a string": lambda ns: ns.nn.Conv2d(1, 1, 1, padding="zz"),
    "conv padding same": lambda ns: ns.nn.Conv2d(1, 1, 1, padding="same", stride=2),
    "conv padding mode": lambda ns: words_of(lambda: ns.nn.Conv2d(1, 1, 1, padding_mode="zz")),
    "conv_transpose padding mode": lambda ns: ns.nn.ConvTranspose2d(1, 1, 1, padding_mode="reflect"),
    "conv groups": lambda ns: ns.nn.Conv2d(3, 4, 1, groups=2),
    "conv groups2": lambda ns: ns.nn.Conv2d(4, 3, 1, groups=2),
    "conv groups0": lambda ns: ns.nn.Conv2d(4, 3, 1, groups=0),
    "SGD diff": lambda ns: ns.optim.SGD([ns.ones(1, requires_grad=True)], lr=ns.tensor([1.0, 2.0])),
    "SGD negative": lambda ns: ns.optim.SGD([ns.ones(1, requires_grad=True)], lr=-1),
    "SGD nest": lambda ns: ns.optim.SGD([ns.ones(1, requires_grad=True)], lr=1, nesterov=True),
    "optimizer empty": lambda ns: ns.optim.SGD([], lr=1),
    "optimizer tensor": lambda ns: ns.optim.SGD(ns.ones(1, requires_grad=True), lr=1),
    "optimizer nonleaf": lambda ns: ns.optim.SGD([ns.ones(1, requires_grad=True) * 1], lr=1),
    "optimizer dup": lambda ns: ns.optim.SGD(
        [{"params": [p := ns.ones(1, requires_grad=True)]}, {"params": [p]}], lr=1
    ),
    "optimizer a string": lambda ns: ns.optim.SGD(["a"], lr=1),
    "linear": lambda ns: ns.nn.functional.linear(ns.ones(2, 3), ns.ones(2, 2)),
    "linear dtypes": lambda ns: ns.nn.functional.linear(ns.ones(2, 3), ns.ones(2, 3).double()),
    "linear bias": lambda ns: ns.nn.functional.linear(ns.ones(2, 3), ns.ones(2, 3), ns.ones(5)),
    "linear bias dtypes": lambda ns: ns.nn.functional.linear(ns.ones(2, 3), ns.ones(2, 3), ns.ones(2).double()),
    "linear 3d weight": lambda ns: ns.nn.functional.linear(ns.ones(2, 3), ns.ones(2, 2, 3)),
    "linear 0-d": lambda ns: ns.nn.functional.linear(ns.tensor(1.0), ns.ones(2, 2)),
    "dataset getitems": lambda ns: ns.utils.data.Subset(ns.utils.data.TensorDataset(ns.ones(2)), [5])[0],
    "random_split": lambda ns: ns.utils.data.random_split([1, 2, 3], [5, 5]),
    "random_split frac": lambda ns: ns.utils.data.random_split([1, 2, 3], [0.5, 0.9]),
    "TensorDataset": lambda ns: ns.utils.data.TensorDataset(ns.ones(2), ns.ones(3)),
    "DataLoader batch size": lambda ns: ns.utils.data.DataLoader([1], batch_size=0),
    "collate": lambda ns: ns.utils.data.default_collate([object()]),
    "collate2": lambda ns: ns.utils.data.default_collate([[1], [1, 2]]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(torch, candidate, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(torch, candidate, REFUSED[name])
