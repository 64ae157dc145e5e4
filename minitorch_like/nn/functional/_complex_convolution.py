"""Convolution of complex numbers as three of real ones, which is how torch records it, too.

With x = a + bi and w = c + di: ac - bd = P - Q and ad + bc = R - P - Q, for P = ac, Q = bd and R = (a + b)(c + d).  The
bias e + fi comes in with P (e) and R (e + f).
"""

from __future__ import annotations

from collections.abc import Callable

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like.ops import TABLE


def complex_convolution(
    convolve: Callable[[Tensor, Tensor, Tensor | None], Tensor], input: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    """`convolve`, which takes real operands, of complex ones."""
    x, x_imaginary = _parts(input)
    w, w_imaginary = _parts(weight)
    b = b_sum = None
    if bias is not None:
        b, b_imaginary = _parts(bias)
        b_sum = b + b_imaginary
    real = convolve(x, w, b)
    imaginary = convolve(x_imaginary, w_imaginary, None)
    both = convolve(x + x_imaginary, w + w_imaginary, b_sum)
    result: Tensor = real - imaginary + TABLE["mul_number"].apply(both - real - imaginary, 1j)
    return result


def _parts(x: Tensor) -> tuple[Tensor, Tensor]:
    parts: Tensor = torch.view_as_real(x.resolve_conj())
    return parts.select(-1, 0), parts.select(-1, 1)
