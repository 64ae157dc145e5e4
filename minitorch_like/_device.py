"""`device`: a name for where a tensor lives. Every torch device can be named; only the CPU can be used."""

from operator import index as as_int
from typing import Any, NoReturn

_TYPES = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta,"
    " hpu, mtia, privateuseone"
)
_SIGNATURES = " * (torch.device device)\n{} * (str type, int index = -1)\n"
_MISSING = object()


class device:
    """A device type and, optionally, its index: `device("cpu")`, `device("cuda:1")`, `device("cuda", 1)`.

    Raises: RuntimeError for an unknown type or a malformed string, TypeError for other arguments.
    """

    __slots__ = ("index", "type")
    __module__ = "minitorch_like"  # where users and pickles find it
    type: str
    index: int | None

    def __new__(cls, type: Any = _MISSING, index: int | None = None, **named: Any) -> "device":
        spec = named.pop("device", type) if type is _MISSING else type
        if isinstance(spec, device) and index is None:
            return spec
        if named or not isinstance(spec, str | bytes):
            _reject(spec, index, named)
        name, position = _parse(spec.decode() if isinstance(spec, bytes) else spec)
        if index is not None:
            if isinstance(index, bool) or not hasattr(index, "__index__"):
                kind = index.__class__.__name__
                raise TypeError(f"device(): argument 'index' (position 2) must be int, not {kind}")
            if position is not None:
                message = "type (string) must not include an index because index was passed explicitly"
                raise RuntimeError(f"{message}: {spec!s}")
            position = as_int(index)
            if position < 0:
                raise RuntimeError("Device index must not be negative")
        self = object.__new__(cls)
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", position)
        return self

    def __init_subclass__(cls) -> None:
        raise TypeError("type 'torch.device' is not an acceptable base type")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        if name in device.__slots__:
            raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")
        raise AttributeError(f"'torch.device' object has no attribute '{name}'")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + ("" if self.index is None else f", index={self.index}") + ")"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __lt__(self, other: object) -> NoReturn:
        raise TypeError("comparison not implemented")

    __le__ = __gt__ = __ge__ = __lt__

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return device, ((self.type,) if self.index is None else (self.type, self.index))

    def __enter__(self) -> "device":
        return require_cpu(self)

    def __exit__(self, *exception: object) -> None:
        pass


def _parse(text: str) -> tuple[str, int | None]:
    """`"cuda:1"` -> `("cuda", 1)`."""
    if not text:
        raise RuntimeError("Device string must not be empty")
    name, colon, position = text.partition(":")
    if not _is_word(name) or (colon and not _is_number(position)):
        raise RuntimeError(f"Invalid device string: '{text}'")
    if name not in _TYPES.split(", "):
        raise RuntimeError(f"Expected one of {_TYPES} device type at start of device string: {name}")
    if colon and int(position) >= 2**31:
        raise RuntimeError(f"Could not parse device index '{position}' in device string '{text}'")
    return name, int(position) if colon else None


def _is_word(text: str) -> bool:
    """Whether it is made of letters and underscores.  (Said without `re`: a pattern takes longer to compile than to use.)"""
    return text.isascii() and bool(text) and text.replace("_", "a").isalpha()


def _is_number(text: str) -> bool:
    """Whether it is made of digits, and does not begin with an idle zero."""
    return text.isascii() and text.isdigit() and (text == "0" or text[0] != "0")


def _reject(spec: Any, index: Any, named: dict[str, Any]) -> NoReturn:
    """The error for arguments that do not begin with a string."""
    kind = "torch.device" if isinstance(spec, device) else type(spec).__name__
    if index is not None and spec is not _MISSING:
        raise TypeError(f"device(): argument 'type' (position 1) must be str, not {kind}")
    if index is not None:
        named = {"index": index, **named}
    if not named and hasattr(spec, "__index__") and not isinstance(spec, bool):
        if spec < 0:
            raise RuntimeError("Device index must not be negative")
        raise RuntimeError("Cannot access accelerator device when none is available.")
    got, why = ("", "") if spec is _MISSING else (kind, f"have invalid types: (!{kind}!)")
    if named:
        got += "".join(f"{name}={type(value).__name__}, " for name, value in named.items())
        why = f"were incorrect: {', '.join(named)}"
    reason = f"      didn't match because some of the {'keywords' if named else 'arguments'} {why}\n"
    raise TypeError(
        f"device() received an invalid combination of arguments - got ({got}), but expected one of:\n"
        + _SIGNATURES.format(reason if why else "")
    )


CPU = device("cpu")


def require_cpu(where: Any = None, function: str = "tensor") -> device:
    """The device of a `device=` argument of `function`: None, a string or a `device`; always the CPU.

    Raises: torch's error for a device that a CPU build cannot use, and for an argument that names none.
    """
    if where is None or where is CPU or (isinstance(where, str) and where == "cpu"):
        return CPU
    if not isinstance(where, device):
        if isinstance(where, bool) or not (isinstance(where, str | bytes) or hasattr(where, "__index__")):
            kind = type(where).__name__
            raise TypeError(f"{function}(): argument 'device' must be torch.device, not {kind}")
        where = device(where)
    if where.type != "cpu":
        raise _unavailable(where.type)
    return CPU


def _unavailable(kind: str) -> Exception:
    if kind in ("cuda", "xpu"):
        return AssertionError(f"Torch not compiled with {kind.upper()} enabled")
    if kind == "mtia":
        return AssertionError(
            "Torch not compiled with MTIA enabled. Ensure you have"
            " `import mtia.host_runtime.torch_mtia.dynamic_library` in your python src file and include"
            " `//mtia/host_runtime/torch_mtia:torch_mtia` as your target dependency!"
        )
    if kind in ("hpu", "privateuseone"):
        return ModuleNotFoundError(f"No module named 'torch.{kind}'")
    if kind == "meta":
        return NotImplementedError("minitorch_like has no 'meta' device (tensors without data)")
    return RuntimeError(f"PyTorch is not linked with support for {kind} devices")
