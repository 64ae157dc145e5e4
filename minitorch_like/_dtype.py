"""Data types: torch's names, NumPy's representation, torch's promotion.

Promotion (`result_type`) goes by category before it goes by width: an operand with dimensions outranks a
0-d tensor, which outranks a Python number, unless the lower rank has a higher category
(bool < integer < floating point < complex).  Source: the "Type promotion" section of torch's
tensor-attributes documentation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_BOOL, _INTEGER, _FLOATING, _COMPLEX = range(4)

# NumPy's kinds of dtype.  bfloat16, which NumPy does not know, has that of a dtype without a kind.
FLOATING_KINDS = "fV"
DIFFERENTIABLE_KINDS = "fcV"


class dtype:
    """A torch data type.  Instances are singletons: compare them with `is` or `==`.

    A `rare` one has its NumPy dtype looked up, and the op table prepared for it, when that is first asked for.
    """

    __module__ = "minitorch_like"  # where users find it
    __slots__ = (
        "category",
        "is_complex",
        "is_floating_point",
        "is_signed",
        "itemsize",
        "name",
        "numpy",
        "tensor_type",
        "title",
    )

    numpy: np.dtype[Any]

    def __init__(self, name: str, itemsize: int, category: int, title: str, *, rare: bool = False) -> None:
        self.name = name
        self.itemsize = itemsize  # in bytes
        if not rare:
            self.numpy = np.dtype(name)
        self.category = category
        self.title = title  # the C++ name that torch's messages use: Float, Long, ...
        self.tensor_type = f"torch.{title}Tensor"
        self.is_floating_point = category == _FLOATING
        self.is_complex = category == _COMPLEX
        self.is_signed = category > _INTEGER or (category == _INTEGER and not name.startswith("u"))

    def __init_subclass__(cls) -> None:
        raise TypeError("type 'torch.dtype' is not an acceptable base type")

    def __getattr__(self, name: str) -> Any:
        if name == "abbr":
            return self._abbreviation()
        if name != "numpy":
            raise AttributeError(f"'torch.dtype' object has no attribute '{name}'")
        if self is bfloat16:
            import ml_dtypes

            self.numpy = np.dtype(ml_dtypes.bfloat16)
        else:
            self.numpy = np.dtype(self.name)
        FROM_NUMPY[self.numpy] = self
        from ._rare import prepare_for

        prepare_for(self)
        return self.numpy

    def _abbreviation(self) -> str:
        """f32, i64, bf16, b8: how torch names dtypes in dumps of graphs."""
        letters = self.name.rstrip("0123456789")
        return f"{_LETTERS.get(letters, letters)}{8 * self.itemsize}"

    def to_complex(self) -> dtype:
        """The complex dtype whose parts are of this one's width.

        Raises RuntimeError for a dtype of integers, TypeError for float16, whose complex dtype is missing.
        """
        if self.is_complex:
            return self
        if not self.is_floating_point:
            raise RuntimeError(f"Unknown Complex ScalarType for {self.title}")
        if self is float16:
            raise TypeError("minitorch_like has no torch.complex32")
        return complex128 if self is float64 else complex64

    def to_real(self) -> dtype:
        """The dtype of the real and imaginary parts; itself if it is not complex."""
        return {complex64: float32, complex128: float64}.get(self, self)

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return _by_name, (self.name,)

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> dtype:
        return self


_LETTERS = {"bool": "b", "uint": "u", "int": "i", "float": "f", "bfloat": "bf", "complex": "c"}

bool_ = dtype("bool", 1, _BOOL, "Bool")
uint8 = dtype("uint8", 1, _INTEGER, "Byte")
int8 = dtype("int8", 1, _INTEGER, "Char")
int16 = dtype("int16", 2, _INTEGER, "Short")
int32 = dtype("int32", 4, _INTEGER, "Int")
int64 = dtype("int64", 8, _INTEGER, "Long")
float16 = dtype("float16", 2, _FLOATING, "Half", rare=True)
bfloat16 = dtype("bfloat16", 2, _FLOATING, "BFloat16", rare=True)
float32 = dtype("float32", 4, _FLOATING, "Float")
float64 = dtype("float64", 8, _FLOATING, "Double")
complex64 = dtype("complex64", 8, _COMPLEX, "ComplexFloat", rare=True)
complex128 = dtype("complex128", 16, _COMPLEX, "ComplexDouble", rare=True)

DTYPES = (
    bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, complex64, complex128,
)  # fmt: skip
RARE = (float16, bfloat16, complex64, complex128)
NARROW = (float16, bfloat16)  # which are computed in float32


class _FromNumpy(dict[np.dtype[Any], dtype]):
    """The dtype for each NumPy dtype; a rare one is entered when it is first asked for."""

    def __missing__(self, key: np.dtype[Any]) -> dtype:
        for each in RARE:
            if key.name == each.name and each.numpy == key:
                return each
        raise KeyError(key)

    def get(self, key: np.dtype[Any], default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 -- a missing key is looked up

    def __contains__(self, key: object) -> bool:
        try:
            self[key]  # type: ignore[index]
        except KeyError:
            return False
        return True


FROM_NUMPY = _FromNumpy({each.numpy: each for each in DTYPES if each not in RARE})


def with_own_dtype(array: Any) -> Any:
    """`array`, whose dtype may be an equal of the one that the package compares with by identity, with that one.

    What was unpickled, or read from a file, has a dtype object of its own.
    """
    known = FROM_NUMPY.get(array.dtype)
    return array if known is None or known.numpy is array.dtype else array.view(known.numpy)


BY_NAME = {each.name: each for each in DTYPES}
OF_PYTHON: dict[Any, dtype] = {float: float64, int: int64, bool: bool_, complex: complex128}  # types given for dtypes


def _by_name(name: str) -> dtype:
    return BY_NAME[name]


def from_numpy_dtype(numpy_dtype: np.dtype[Any]) -> dtype:
    """The torch dtype of a NumPy dtype; TypeError names what is not supported."""
    try:
        return FROM_NUMPY[numpy_dtype.newbyteorder("=")]
    except KeyError:
        supported = ", ".join(each.name for each in reversed(DTYPES))
        raise TypeError(
            f"can't convert np.ndarray of type {numpy_dtype.type.__module__}.{numpy_dtype.type.__name__}. "
            f"The only supported types are: {supported}."
        ) from None


class _Default:
    """The dtype of new floating-point tensors."""

    dtype = float32


def get_default_dtype() -> dtype:
    """The dtype of new floating-point tensors."""
    return _Default.dtype


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of new floating-point tensors.

    Raises TypeError for anything but a floating-point dtype.
    """
    if not isinstance(d, dtype):
        raise TypeError("invalid dtype object: only floating-point types are supported as the default type")
    if not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    _Default.dtype = d


def default_numpy_dtype() -> np.dtype[Any]:
    """The NumPy dtype behind `get_default_dtype()`."""
    return _Default.dtype.numpy


def scalar_dtype(value: complex) -> dtype:
    """The dtype that torch gives a Python number: bool, int64, the default dtype or the complex one as wide."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return _Default.dtype
    return default_complex_dtype()


def default_complex_dtype() -> dtype:
    """complex128 where float64 is the default dtype, otherwise complex64."""
    return complex128 if _Default.dtype is float64 else complex64


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype of the higher category that holds both (a float of any width holds every integer)."""
    if type1 is type2:
        return type1
    if type1.category == type2.category:
        if type1 in NARROW and type2 in NARROW:
            return float32
        if type1.is_floating_point or type1.is_complex:
            return type1 if type1.itemsize > type2.itemsize else type2
        return FROM_NUMPY[np.promote_types(type1.numpy, type2.numpy)]
    higher, lower = (type1, type2) if type1.category > type2.category else (type2, type1)
    return complex128 if higher is complex64 and lower is float64 else higher


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether torch converts implicitly: never to a lower category."""
    return from_.category <= to.category


def _combine(higher: dtype | None, lower: dtype | None) -> dtype | None:
    """`higher` outranks `lower` unless the latter's category is above it."""
    if higher is None or lower is None:
        return higher or lower
    if higher.category == _FLOATING and lower.category == _COMPLEX:
        return higher.to_complex()
    if higher.category >= _FLOATING:
        return higher
    if higher is bool_ or lower.category >= _FLOATING:
        return promote_types(higher, lower)
    return higher


def result_dtype(*operands: Any) -> dtype:
    """torch's `result_type` of arrays (0-d arrays rank below those with dimensions) and Python numbers."""
    dimensioned: dtype | None = None
    zero_dim: dtype | None = None
    number: dtype | None = None
    for operand in operands:
        if hasattr(operand, "dtype"):  # an array, or a conjugate view of one
            each = FROM_NUMPY[operand.dtype]
            if operand.ndim:
                dimensioned = each if dimensioned is None else promote_types(dimensioned, each)
            else:
                zero_dim = each if zero_dim is None else promote_types(zero_dim, each)
        else:
            each = scalar_dtype(operand)
            number = each if number is None else promote_types(number, each)
    result = _combine(dimensioned, _combine(zero_dim, number))
    assert result is not None
    return result


class _Info:
    """What `finfo` and `iinfo` have in common: they are equal where they describe the same dtype."""

    __slots__ = ("_kind", "bits", "dtype", "max", "min")
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._kind is self._kind

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'torch.{type(self).__name__}' object has no attribute '{name}'")


def _check_dtype(function: str, kind: Any) -> None:
    if not isinstance(kind, dtype):
        raise TypeError(f"{function}(): argument 'type' (position 1) must be torch.dtype, not {type(kind).__name__}")


class finfo(_Info):
    """Numerical properties of a floating-point dtype (default: the default dtype), or of a complex one's parts."""

    __slots__ = ("eps", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: dtype | None = None) -> None:
        kind = _Default.dtype if type is None else type
        _check_dtype("finfo", kind)
        kind = kind.to_real()
        if not kind.is_floating_point:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        self._kind = kind
        self.dtype = kind.name
        self.bits = 8 * kind.itemsize
        digits, least, greatest, resolution = _PRECISION[kind.name]
        self.eps = 2.0 ** (1 - digits)
        self.max = (2.0 - self.eps) * 2.0**greatest
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0**least
        self.resolution = resolution

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


# Binary digits, the exponents of the least normal and of the largest number, decimal resolution.
_PRECISION = {
    "float16": (11, -14, 15, 1e-3),
    "bfloat16": (8, -126, 127, 1e-2),
    "float32": (24, -126, 127, 1e-6),
    "float64": (53, -1022, 1023, 1e-15),
}


class iinfo(_Info):
    """Numerical properties of an integer dtype."""

    __slots__ = ()

    def __init__(self, type: Any = _Default) -> None:
        if type is _Default:
            raise TypeError('iinfo() missing 1 required positional arguments: "type"')
        _check_dtype("iinfo", type)
        if type.category > _INTEGER:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        if type is bool_:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        self._kind = type
        self.dtype = type.name
        self.bits = 8 * type.itemsize
        self.max = 2 ** (self.bits - type.is_signed) - 1
        self.min = -(2 ** (self.bits - 1)) if type.is_signed else 0

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
