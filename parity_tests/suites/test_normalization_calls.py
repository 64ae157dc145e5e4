"""How normalisation is called: the functions of torch's root, wrong arguments, warnings."""

import warnings

import numpy as np
import pytest

from parity_tests.suites._programs import agree, same


def numbers(draw, shape):
    return np.asarray(draw.standard_normal(shape), np.float32)


ROOT = {
    "layer_norm": lambda ns, x, w: ns.layer_norm(x, (4,), w, None, 0.1),
    "keywords": lambda ns, x, w: ns.layer_norm(input=x, normalized_shape=[4], cudnn_enable=False),
    "rms_norm": lambda ns, x, w: ns.rms_norm(x, (4,), eps=0.1),
    "group_norm": lambda ns, x, w: ns.group_norm(x, 2, w),
    "batch_norm": lambda ns, x, w: ns.batch_norm(x, w, None, None, None, True, 0.1, 0.1, True),
    "instance_norm": lambda ns, x, w: ns.instance_norm(x[..., None] * w, None, None, None, None, True, 0.1, 0.1, False),
    "native_layer_norm": lambda ns, x, w: ns.native_layer_norm(x, (4,), w, None, 0.1),
    "native_group_norm": lambda ns, x, w: [y.detach() for y in ns.native_group_norm(x, w, None, 3, 4, 1, 2, 0.1)],
    "native_batch_norm": lambda ns, x, w: ns.native_batch_norm(x, w, None, None, None, True, 0.1, 0.1),
    "native evaluation": lambda ns, x, w: ns.native_batch_norm(x, w, None, w, w * w, False, 0.1, 0.1),
}


@pytest.mark.parametrize("apply", ROOT.values(), ids=ROOT)
def test_functions_of_the_root(torch, candidate, apply):
    draw = np.random.default_rng(0)
    data, weight = numbers(draw, (3, 4)), numbers(draw, 4)
    agree(torch, candidate, lambda ns, tensor: apply(ns, tensor(data), tensor(weight)))


WRONG = {
    "layer shape": lambda ns, F, x: F.layer_norm(x, (6,)),
    "layer shapes": lambda ns, F, x: F.layer_norm(x, (4, 5)),
    "layer too many": lambda ns, F, x: F.layer_norm(x, (3, 4, 6, 5)),
    "layer int": lambda ns, F, x: F.layer_norm(x, 5),
    "layer float": lambda ns, F, x: F.layer_norm(x, [5.0]),
    "layer bool": lambda ns, F, x: F.layer_norm(x, (True,)),
    "layer second float": lambda ns, F, x: F.layer_norm(x, [6, 5.0]),
    "layer no shape": lambda ns, F, x: F.layer_norm(x, ()),
    "layer weight": lambda ns, F, x: F.layer_norm(x, (5,), ns.ones(6)),
    "layer bias": lambda ns, F, x: F.layer_norm(x, (5,), None, ns.ones(1, 5)),
    "layer double weight": lambda ns, F, x: F.layer_norm(x, (5,), ns.ones(5).double()),
    "layer double bias": lambda ns, F, x: F.layer_norm(x, (5,), ns.ones(5), ns.ones(5).double()),
    "layer double input": lambda ns, F, x: F.layer_norm(x.double(), (5,), ns.ones(5)),
    "layer half bias": lambda ns, F, x: F.layer_norm(x.half(), (5,), ns.ones(5), ns.ones(5).half()),
    "layer integers": lambda ns, F, x: F.layer_norm(x.long(), (5,)),
    "layer bools": lambda ns, F, x: F.layer_norm(x.bool(), (5,)),
    "layer list": lambda ns, F, x: F.layer_norm([1.0, 2.0], (2,)),
    "layer weight list": lambda ns, F, x: F.layer_norm(x, (5,), [1.0] * 5),
    "layer eps": lambda ns, F, x: F.layer_norm(x, (5,), eps="a"),
    "layer no eps": lambda ns, F, x: F.layer_norm(x, (5,), eps=None),
    "layer scalar": lambda ns, F, x: F.layer_norm(x[0, 0, 0], (1,)),
    "layer missing": lambda ns, F, x: ns.layer_norm(x),
    "rms shape": lambda ns, F, x: F.rms_norm(x, (6,)),
    "rms int": lambda ns, F, x: F.rms_norm(x, 5),
    "rms no shape": lambda ns, F, x: F.rms_norm(x, ()),
    "rms weight": lambda ns, F, x: F.rms_norm(x, (5,), ns.ones(6)),
    "rms integers": lambda ns, F, x: F.rms_norm(x.long(), (5,)),
    "rms eps": lambda ns, F, x: F.rms_norm(x, (5,), eps="a"),
    "rms scalar": lambda ns, F, x: F.rms_norm(x[0, 0, 0], (1,)),
    "group divisor": lambda ns, F, x: F.group_norm(x, 4),
    "group none": lambda ns, F, x: F.group_norm(x, 0),
    "group negative": lambda ns, F, x: F.group_norm(x, -2),
    "group vector": lambda ns, F, x: F.group_norm(x[0, 0], 1),
    "group float": lambda ns, F, x: F.group_norm(x, 2.0),
    "group weight": lambda ns, F, x: F.group_norm(x, 2, ns.ones(5)),
    "group weight rank": lambda ns, F, x: F.group_norm(x, 2, ns.ones(6, 1)),
    "group bias": lambda ns, F, x: F.group_norm(x, 2, None, ns.ones(5)),
    "group single": lambda ns, F, x: F.group_norm(x[:1, :2, 0], 2),
    "group integers": lambda ns, F, x: F.group_norm(x.long(), 2),
    "group double": lambda ns, F, x: F.group_norm(x, 2, ns.ones(6).double()),
    "group list": lambda ns, F, x: F.group_norm([1.0], 1),
    "batch no mean": lambda ns, F, x: F.batch_norm(x, None, None),
    "batch no var": lambda ns, F, x: F.batch_norm(x, ns.zeros(6), None),
    "batch one of two": lambda ns, F, x: F.batch_norm(x, ns.zeros(6), None, training=True),
    "batch mean": lambda ns, F, x: F.batch_norm(x, ns.zeros(5), ns.ones(6)),
    "batch var": lambda ns, F, x: F.batch_norm(x, ns.zeros(6), ns.ones(5)),
    "batch weight": lambda ns, F, x: F.batch_norm(x, ns.zeros(6), ns.ones(6), ns.ones(5)),
    "batch bias": lambda ns, F, x: F.batch_norm(x, ns.zeros(6), ns.ones(6), None, ns.ones(5)),
    "batch single": lambda ns, F, x: F.batch_norm(x[:1, :, 0], None, None, training=True),
    "batch scalar": lambda ns, F, x: F.batch_norm(x[0, 0, 0], None, None, training=True),
    "batch vector": lambda ns, F, x: F.batch_norm(x[0, 0], ns.zeros(6), ns.ones(6)),
    "batch double": lambda ns, F, x: F.batch_norm(x.double(), ns.zeros(6), ns.ones(6)),
    "batch double weight": lambda ns, F, x: F.batch_norm(x, None, None, ns.ones(6).double(), training=True),
    "batch half bias": lambda ns, F, x: F.batch_norm(x.half(), None, None, ns.ones(6).half(), ns.ones(6), True),
    "batch integers": lambda ns, F, x: F.batch_norm(x.long(), ns.zeros(6), ns.ones(6)),
    "batch no eps": lambda ns, F, x: F.batch_norm(x, None, None, training=True, eps=0.0),
    "batch negative eps": lambda ns, F, x: F.batch_norm(x, ns.zeros(6), ns.ones(6), eps=-1),
    "batch no momentum": lambda ns, F, x: F.batch_norm(x, None, None, training=True, momentum=None),
    "batch momentum": lambda ns, F, x: F.batch_norm(x, None, None, training=True, momentum="a"),
    "batch training": lambda ns, F, x: F.batch_norm(x, ns.zeros(6), ns.ones(6), training=1),
    "batch list": lambda ns, F, x: F.batch_norm([1.0], ns.zeros(6), ns.ones(6)),
    "batch mean list": lambda ns, F, x: F.batch_norm(x, [0.0] * 6, ns.ones(6)),
    "batch underived": lambda ns, F, x: F.batch_norm(x.requires_grad_(), ns.zeros(6, requires_grad=True), ns.ones(6)),
    "batch missing": lambda ns, F, x: ns.batch_norm(x, None, None, None, None, True, 0.1, 0.1),
    "instance flat": lambda ns, F, x: F.instance_norm(x[:, :, 0]),
    "instance single": lambda ns, F, x: F.instance_norm(x[:, :, :1]),
    "instance no statistics": lambda ns, F, x: F.instance_norm(x, use_input_stats=False),
    "instance one of two": lambda ns, F, x: F.instance_norm(x, ns.zeros(6), None),
    "instance mean": lambda ns, F, x: F.instance_norm(x, ns.zeros(5), ns.ones(6)),
    "instance weight": lambda ns, F, x: F.instance_norm(x, weight=ns.ones(5)),
    "instance integers": lambda ns, F, x: F.instance_norm(x.long()),
    "instance missing": lambda ns, F, x: ns.instance_norm(x),
    "response rank": lambda ns, F, x: F.local_response_norm(x[0], 2),
    "response size": lambda ns, F, x: F.local_response_norm(x, 0),
    "response size in 4d": lambda ns, F, x: F.local_response_norm(x[None], -1),
    "native size": lambda ns, F, x: ns.native_group_norm(x, None, None, 4, 6, 6, 2, 1e-5),
    "BatchNorm1d rank": lambda ns, F, x: ns.nn.BatchNorm1d(6)(x[None]),
    "BatchNorm2d rank": lambda ns, F, x: ns.nn.BatchNorm2d(6)(x),
    "BatchNorm3d rank": lambda ns, F, x: ns.nn.BatchNorm3d(6)(x),
    "BatchNorm1d single": lambda ns, F, x: ns.nn.BatchNorm1d(6)(x[:1, :, 0]),
    "BatchNorm1d channels": lambda ns, F, x: ns.nn.BatchNorm1d(5)(x),
    "InstanceNorm1d rank": lambda ns, F, x: ns.nn.InstanceNorm1d(6)(x[0, 0]),
    "InstanceNorm2d rank": lambda ns, F, x: ns.nn.InstanceNorm2d(6)(x[0]),
    "InstanceNorm3d rank": lambda ns, F, x: ns.nn.InstanceNorm3d(6)(x),
    "InstanceNorm1d channels": lambda ns, F, x: ns.nn.InstanceNorm1d(5, affine=True)(x),
    "LayerNorm shape": lambda ns, F, x: ns.nn.LayerNorm(6)(x),
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG)
def test_errors(torch, candidate, program):
    same(torch, candidate, lambda ns: program(ns, ns.nn.functional, ns.arange(120.0).view(4, 6, 5)))


def test_unused_num_features_warns(torch, candidate):
    def program(ns):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = ns.nn.InstanceNorm1d(5)(ns.arange(24.0).view(2, 3, 4))
        return result.shape, [str(w.message) for w in caught if w.category is UserWarning]

    same(torch, candidate, program)
