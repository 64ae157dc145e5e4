"""PyTorch's names, numbers and errors over a small NumPy engine: `import minitorch_like as torch`."""

import warnings as _warnings
from typing import Any as _Any

# NumPy reports divisions by zero and overflows of our kernels as warnings; torch has none.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minitorch_like\.")

from ._allocation import keep_freed_memory as _keep_freed_memory  # noqa: E402
from ._allocation import without_collecting as _without_collecting  # noqa: E402

_keep_freed_memory()
with _without_collecting():
    from . import _creation, _functions, autograd
from ._device import device  # noqa: E402
from ._dtype import (  # noqa: E402
    bfloat16,
    bool_,
    complex64,
    complex128,
    dtype,
    finfo,
    float16,
    float32,
    float64,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from ._layout import (  # noqa: E402
    channels_last,
    channels_last_3d,
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from ._size import Size  # noqa: E402
from ._tensor import Tensor  # noqa: E402
from .autograd import (  # noqa: E402
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)

half, float, double = float16, float32, float64
cfloat, cdouble = complex64, complex128
short, int, long = int16, int32, int64
bool = bool_

globals().update(_creation.PUBLIC)
globals().update(_functions.PUBLIC)


def __getattr__(name: str) -> _Any:
    from ._later import package_attribute

    return package_attribute(name)


def __dir__() -> list[str]:
    from . import nn  # which adds names, too
    from ._later import SUBMODULES, complete
    from ._namespace import PUBLIC

    complete()
    return sorted({*globals(), *PUBLIC, *SUBMODULES, "compile", "set_printoptions"})
