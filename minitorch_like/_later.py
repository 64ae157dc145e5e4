"""What `import minitorch_like` puts off until it is asked for: half of it is never needed by half of the programs.

Asking is done by name.  A name that the package or Tensor does not have leads here, once; then all names are there, and
what asked is gone.
"""

from __future__ import annotations

import importlib
from importlib.machinery import PathFinder
from typing import Any

from ._tensor import Tensor, TensorMeta

_PACKAGE = __name__.rpartition(".")[0]
# Functions of nn.functional that torch has at its root too.
_OF_FUNCTIONAL = frozenset(
    (
        "adaptive_avg_pool1d", "avg_pool1d", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
        "conv_transpose2d", "conv_transpose3d", "pixel_shuffle", "pixel_unshuffle",
    )
)  # fmt: skip
# Where it is read by signature, and knows no `return_indices`.
_OF_POOLING = ("adaptive_max_pool1d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool3d")
_OF_SERIALIZATION = ("load", "save")
_OF_C = ("DisableTorchFunction", "DisableTorchFunctionSubclass")
SUBMODULES = (
    "accelerator", "amp", "autograd", "backends", "_C", "compiler", "cpu", "cuda", "distributed", "functional",
    "hub", "jit", "linalg", "mps", "multiprocessing", "nn", "optim", "overrides", "random", "return_types",
    "serialization", "storage", "torch_version", "types", "utils", "version", "viz", "xpu",
)  # fmt: skip


# What is declared then: each has functions for the package in PUBLIC, or gives methods to Tensor.
_LATE = (
    "_creation.grids", "_creation.legacy", "_creation.sharing", "_creation.with_strides", "_creation.tapers",
    "_indexing.functions", "_composed.complex", "_composed.contractions", "_composed.conversions",
    "_composed.counting", "_composed.distances", "_composed.in_place", "_composed.nn", "_composed.numbers",
    "_composed.ordering", "_composed.pieces", "_composed.products", "_composed.quantiles", "_composed.recurrent",
    "_composed.reductions", "_composed.shapes", "_composed.storages", "_composed.unique", "random", "_threads",
    "_creation",
    "_composed.rarities",  # which leaves alone what Tensor has by then
)  # fmt: skip


def complete() -> bool:
    """Declare the rest of the op table and all that makes random numbers; whether that was still to do."""
    if "__getattr__" not in vars(Tensor):
        return False
    del TensorMeta.__getattr__, Tensor.__getattr__
    from . import _functions, ops
    from ._bind import bind_new

    ops.declare_all()
    namespace = vars(importlib.import_module(_PACKAGE))
    public = [_functions.publish(bind_new())]
    public += [vars(importlib.import_module(f"{_PACKAGE}.{name}")).get("PUBLIC", {}) for name in _LATE]
    for names in public:
        namespace.update({name: each for name, each in names.items() if name not in namespace})
    return True


def _is_submodule(name: str) -> bool:
    """Whether `from . import _name` asks for a module of the package's own, before it imports it."""
    return name.startswith("_") and not name.startswith("__") and has_module(name)


def has_module(name: str) -> bool:
    """Whether the package has a module of its own of that name.

    Asked of the files alone: a finder of another's may object where an import of what is absent would be an error.
    """
    parent, _, leaf = name.rpartition(".")
    folder = __file__.rpartition("_later")[0] + parent.replace(".", "/")
    return PathFinder.find_spec(leaf, [folder]) is not None


def package_attribute(name: str) -> Any:
    """`minitorch_like.name`, for a name that is not there yet."""
    if name in SUBMODULES or _is_submodule(name):
        return importlib.import_module(f"{_PACKAGE}.{name}")
    package = importlib.import_module(_PACKAGE)
    if name == "__version__":
        from .torch_version import __version__

        return __version__
    if name in _OF_C:
        return getattr(package._C, name)
    if name in _OF_SERIALIZATION:
        return getattr(importlib.import_module(f"{_PACKAGE}.serialization"), name)
    if name == "compile":
        from .compiler import compile

        return compile
    if name in ("set_printoptions", "_tensor_str"):
        from . import _printing

        return _printing if name == "_tensor_str" else _printing.set_printoptions
    if not name.startswith("__"):
        complete()
        importlib.import_module(f"{_PACKAGE}.nn")  # which adds names too: torch.layer_norm
        if name in vars(package):
            return vars(package)[name]
    from ._namespace import PUBLIC

    if name in PUBLIC:
        vars(package).update({each: value for each, value in PUBLIC.items() if each not in vars(package)})
        return PUBLIC[name]
    if name in _OF_FUNCTIONAL:
        return getattr(importlib.import_module(f"{_PACKAGE}.nn.functional"), name)
    if name in _OF_POOLING:
        vars(package).update(importlib.import_module(f"{_PACKAGE}.nn.functional.pooling").PUBLIC)
        return vars(package)[name]
    from ._namespace import RENAMED, warn_of_old_name

    if name in RENAMED:
        return warn_of_old_name(name)
    raise AttributeError(f"module '{_PACKAGE}' has no attribute '{name}'")
