"""The `reduction` of a loss, and the two booleans that it replaced in torch 0.4."""

from __future__ import annotations

from .._once import warn_of_call


def checked(reduction: str) -> str:
    """One of 'none', 'mean', 'sum'; warns of 'elementwise_mean'. Raises: ValueError for anything else."""
    if reduction in ("none", "mean", "sum"):
        return reduction
    if reduction == "elementwise_mean":
        warn_of_call("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.")
        return "mean"
    raise ValueError(f"{reduction} is not a valid value for reduction")


def resolved(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """`reduction`, unless one of the deprecated booleans is given."""
    if size_average is None and reduce is None:
        return reduction
    return legacy_get_string(size_average, reduce)


def legacy_get_string(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> str:
    """The reduction that the deprecated booleans, each True where it is None, amount to."""
    mean = "mean" if size_average is None or size_average else "sum"
    reduction = mean if reduce is None or reduce else "none"
    if emit_warning:
        warn_of_call(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
        )
    return reduction
