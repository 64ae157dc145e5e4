"""The reference in float64, disturbed on demand: the truth, and how far rounding may lead from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity_tests.backends.torch_like import TorchLike

_DOUBLE = {"float16": "float64", "bfloat16": "float64", "float32": "float64", "complex64": "complex128"}


class Double(TorchLike):
    """torch, computing in float64 whatever a program computes in a narrower floating-point dtype.

    Within `disturbed(delta, seed)` values are multiplied by 1 + delta xi, and so is what autograd saves for the backward
    pass.  xi is drawn in the order of the calls: two runs of the same seed get the same xi, whatever their delta.
    """

    def __init__(self, torch: ModuleType) -> None:
        super().__init__(torch)
        self._delta = 0.0
        self._random = np.random.default_rng(0)
        self._frequency = self._phase = 0.0

    @contextmanager
    def disturbed(self, delta: float, seed: int) -> Iterator[None]:
        torch = self.namespace
        self._delta, self._random = delta, np.random.default_rng(seed)
        self._frequency, self._phase = 20 + 200 * self._random.random(), 2 * np.pi * self._random.random()
        default = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            if delta:
                with torch.autograd.graph.saved_tensors_hooks(self._pack, lambda saved: saved):
                    yield
            else:
                yield
        finally:
            torch.set_default_dtype(default)

    def tensor(self, array: NDArray[Any], requires_grad: bool = False) -> Any:
        wide = _DOUBLE.get(array.dtype.name)
        return super().tensor(array.astype(wide) if wide else array, requires_grad)

    def dtype(self, name: str) -> Any:
        return super().dtype(_DOUBLE.get(name, name))

    def array(self, array: NDArray[Any], weight: float = 1.0) -> NDArray[Any]:
        """An input's elements, disturbed if they are no integers."""
        if array.dtype.kind not in "fc":
            return array
        return array * (1 + self._delta * weight * self._xi(array.shape, array.dtype.kind == "c"))

    def _xi(self, shape: tuple[int, ...], is_complex: bool) -> NDArray[Any]:
        """Standard normal numbers; complex ones disturb the angle as well, as rounding does."""
        xi = self._random.standard_normal(shape)
        return xi + 1j * self._random.standard_normal(shape) if is_complex else xi

    def disturb(self, tensor: Any, weight: float = 1.0) -> Any:
        """A result, disturbed; through the product its gradient is as well."""
        if not self._delta or not weight or not _rounds(tensor) or tensor._is_zerotensor():
            return tensor
        xi = self._xi(tuple(tensor.shape), tensor.is_complex())
        return tensor * self.namespace.from_numpy(np.asarray(1 + self._delta * weight * xi))

    def disturb_in_place(self, parameter: Any) -> None:
        """A parameter after an update, disturbed where it is."""
        if self._delta:
            with self.namespace.no_grad():
                parameter.copy_(self.disturb(parameter))

    def _pack(self, saved: Any) -> Any:
        """What is saved for backward, disturbed: by a smooth function of the number itself.

        Equal numbers get equal xi, for the rules of maxima look for equality, and near ones get near xi, for the
        response to a small delta has to be the response to a large one scaled down.
        """
        if not _rounds(saved):
            return saved
        torch = self.namespace
        with torch.no_grad():
            wave = torch.sin(self._frequency * torch.log(saved.detach().abs() + 1e-30) + self._phase)
            return saved * (1 + self._delta * 2**0.5 * wave)  # of variance one


def _rounds(value: Any) -> bool:
    """Whether it is a tensor of numbers that arithmetic rounds."""
    return hasattr(value, "is_floating_point") and (value.is_floating_point() or value.is_complex())
