"""The interface between the instrument and a framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Unsupported(Exception):
    """The framework has nothing of this name.  Reported as such; never counted as passed."""


class Backend(Protocol):
    """A framework.  Tensors are opaque to the instrument; they go back into the same backend only."""

    name: str
    """What the module is imported as, or what to call the framework in reports."""

    def tensor(self, array: NDArray[np.generic], requires_grad: bool = False) -> Any:
        """A new leaf with a copy of the elements, of the corresponding dtype, contiguous."""
        ...

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call by torch's name: 'torch.add', 'Tensor.add_' (the first argument is the object), 'nn.functional.relu',
        'operator.matmul' (Python's).  Raises Unsupported if there is none; errors of the call itself pass through.
        """
        ...

    def dtype(self, name: str) -> Any:
        """The dtype object of a name such as 'float32'."""
        ...

    def grad(
        self, outputs: Sequence[Any], inputs: Sequence[Any], cotangents: Sequence[Any], create_graph: bool = False
    ) -> list[Any]:
        """Vector-Jacobian products; None for an input that the outputs do not depend on.  The graph stays usable."""
        ...

    def module(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Build what torch calls `name`: 'nn.Linear', 'optim.SGD'."""
        ...

    def manual_seed(self, seed: int) -> None:
        """Restart the framework's random numbers."""
        ...

    def snapshot(self, value: Any) -> Any:
        """`value` as plain data: a `check.Snapshot` in the place of every tensor (see `check.take`)."""
        ...
