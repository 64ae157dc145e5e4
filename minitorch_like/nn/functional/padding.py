"""Padding."""

from __future__ import annotations

from collections.abc import Sequence

from minitorch_like import Tensor
from minitorch_like.ops import TABLE, padding
from minitorch_like.ops._signature import Reader

# Bound when first called.
_constant, _extend, _wrap = TABLE["constant_pad_nd"], TABLE["extend"], TABLE["wrap"]
_PAD = Reader("pad", ("(Tensor input, int[] pad, str mode=constant, float? value=None)",))
_KERNELS = {"reflect": "reflection", "replicate": "replication"}


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add elements around, `pad` of them before and after each dimension from the last on; less than 0 takes away.

    They are constant, or the input's own: "reflect" counts back from the edge, "replicate" repeats it, "circular" goes
    on at the opposite one. The latter three pad the last one, two or three dimensions, behind a channel and perhaps a
    batch.
    """
    values = _PAD.read((input, pad, mode, value), {})[1]
    amounts = tuple(map(int, values["pad"]))
    if mode == "constant":
        constant: Tensor = _constant.apply(input, amounts, 0 if value is None else values["value"])
        return constant
    if len(amounts) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    ndim, rank = input.dim(), len(amounts) // 2
    if rank not in (1, 2, 3) or ndim not in (rank + 1, rank + 2):
        raise NotImplementedError(
            f"Padding size {len(amounts)} is not supported for {ndim}D input tensor.\nSupported combinations for "
            "non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if mode != "circular" and input._data.dtype.kind == "b":
        raise NotImplementedError(f"\"{_KERNELS[mode]}_pad{rank}d\" not implemented for 'Bool'")
    copied = _wrap if mode == "circular" else _extend
    extended: Tensor = copied.apply(input, padding.extension(mode, input._data.shape, amounts))
    return extended
