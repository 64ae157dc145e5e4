"""Correlation of arrays as matrix products with the columns of the input ("im2col"), and its derivatives.

What is computed here are the three partial derivatives of one trilinear form,

    form(g, x, w) = sum of g[n, o, p] * x[n, c, stride * p + dilation * k - padding] * w[o, c, k] over all indices,

by g (`correlated`), by x (`correlated_input`) and by w (`correlated_weight`).

The columns are made for a few images at a time, so that they stay in the cache, and made anew where they are needed
again: that is as quick as to keep them, and memory remains a small multiple of the input's.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ._checks import strided
from ._table import Array
from ._windows import Index, Place, Shape, buffer, output_size, places, row_major, windows_along

CACHED_COLUMNS = 1 << 17  # elements: half a megabyte of float32


class Geometry:
    """How x (N, C, *size) is correlated with w (O, C/groups, *kernel) into (N, O, *points).

    The columns of an image are, for every group, a matrix with a row for each weight of an output channel and a column
    for each point.  They are made in two steps of long copies: first the lines, unfolded along the last dimension
    alone, and from them the columns.

    Attributes:
        matrix: (outputs, rows, count): a group's outputs, the rows of its columns, and the points.
        pointwise: each point is computed from the one place that it lies at: the columns are the input itself.
        padded: the spatial size with padding; None where there is none.
        interior: where the input lies in its padded copy.
        lines, columns: their shapes for one image, (C, kernel[-1], *padded[:-1], points[-1]) and (C, *kernel, *points).
        line_steps, column_steps: for each of their dimensions, how far neighbours are apart in what they are made from.
        unfolds_rows: whether the columns differ from the lines.
        folded_lines, folds_rows: the same for the way back, which does without padding.
        row_indices: for each place in the kernel's other dimensions, where in the lines to add which columns.
        windows: for each place in the kernel's last dimension, which points read there and what.
        merged: the columns of several images are one matrix, instead of one each.
        step, blocks: how many images are treated at a time, and the slices of the batch.
        adjoint: the arguments of the geometry in which the gradient of x is a correlation too; None to fold columns.
    """

    __slots__ = (
        "adjoint", "blocks", "column_steps", "columns", "folded_lines", "folds_rows", "groups", "interior",
        "line_steps", "lines", "matrix", "merged", "padded", "points", "pointwise", "row_indices", "step",
        "unfolds_rows", "w_shape", "windows", "x_shape",
    )  # fmt: skip

    def __init__(
        self, x_shape: Shape, w_shape: Shape, points: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int
    ) -> None:
        self.x_shape, self.w_shape, self.points, self.groups = x_shape, w_shape, points, groups
        batch, size, kernel = x_shape[0], x_shape[2:], w_shape[2:]
        outputs, rows, count = self.matrix = w_shape[0] // groups, math.prod(w_shape[1:]), math.prod(points)
        self._unfold(stride, padding, dilation)
        self._fold(stride, padding, dilation)
        self.pointwise = size == points and {*kernel, *stride} == {1} and self.padded is None
        self.adjoint = self._adjoint(stride, padding, dilation)
        # A product for each image is quicker unless it is small (what counts then are the calls) or the weight large.
        # Its gradient, of which there is then one for each image, must not be larger than the columns either.
        weight = outputs * rows
        self.merged = batch > 1 and (weight * count < 1 << 14 or (weight > 1 << 14 and count < 256) or count < outputs)
        self.step = step = max(1, min(batch, CACHED_COLUMNS // max(1, math.prod(self.columns))))
        self.blocks = [slice(start, min(start + step, batch)) for start in range(0, batch, step)]

    def _unfold(self, stride: Shape, padding: Shape, dilation: Shape) -> None:
        """From the input to lines and columns."""
        channels, *size = self.x_shape[1:]
        kernel, points = self.w_shape[2:], self.points
        whole = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
        self.padded = whole if any(padding) else None
        self.interior: Index = (..., *(slice(p, p + n) for n, p in zip(size, padding, strict=True)))
        self.lines = (channels, kernel[-1], *whole[:-1], points[-1])
        self.columns = (channels, *kernel, *points)
        self.unfolds_rows = math.prod(kernel[:-1]) > 1 or points[:-1] != whole[:-1]
        channel, *rows, _ = _steps((channels, *whole))
        self.line_steps = (channel, dilation[-1], *rows, stride[-1])
        channel, place, *rows, _ = _steps(self.lines)
        down = [d * row for d, row in zip(dilation, rows, strict=False)]
        across = [s * row for s, row in zip(stride, rows, strict=False)]
        self.column_steps = (channel, *down, place, *across, 1)

    def _fold(self, stride: Shape, padding: Shape, dilation: Shape) -> None:
        """From columns and lines to the input."""
        channels, *size = self.x_shape[1:]
        kernel = self.w_shape[2:]
        *along_rows, self.windows = map(windows_along, size, kernel, stride, padding, dilation, self.points)
        self.row_indices = list(map(_at_row, places(along_rows)))
        self.folded_lines = (channels, kernel[-1], *size[:-1], self.points[-1])
        self.folds_rows = self.unfolds_rows or self.lines != self.folded_lines

    def _adjoint(
        self, stride: Shape, padding: Shape, dilation: Shape
    ) -> tuple[Shape, Shape, Shape, Shape, Shape, Shape] | None:
        """The arguments of the geometry in which the gradient of x is a correlation of that of the output.

        With a stride of 1 it is one, with the weight turned round.  Its columns have the channels of the output, those
        that are folded otherwise the channels of the input; but folding an element costs twice as much as making it.
        """
        size, kernel = self.x_shape[2:], self.w_shape[2:]
        padding = tuple(d * (k - 1) - p for d, k, p in zip(dilation, kernel, padding, strict=True))
        exact = size == tuple(map(output_size, self.points, kernel, stride, padding, dilation))
        outputs, channels = self.w_shape[0], self.x_shape[1]
        made, folded = outputs * math.prod(size), channels * self.matrix[2]
        if not exact or set(stride) != {1} or min(padding) < 0 or made > 2 * folded:
            return None
        g_shape = (self.x_shape[0], outputs, *self.points)
        w_shape = (channels, outputs // self.groups, *kernel)
        return g_shape, w_shape, size, stride, padding, dilation


@lru_cache(maxsize=256)
def _adjoint_geometry(arguments: tuple[Shape, Shape, Shape, Shape, Shape, Shape], groups: int) -> Geometry:
    return Geometry(*arguments, groups)


def _at_row(place: Place) -> tuple[Index, Index]:
    """Where in lines (n, C, kernel[-1], *size[:-1], points[-1]) the columns' elements of `place` belong, and these."""
    kernel, points, read = place
    every = slice(None)
    return (every, every, every, *read), (every, every, *kernel, every, *points)


def _steps(shape: Shape) -> list[int]:
    """How far apart neighbours along each dimension are in memory, in elements."""
    return [math.prod(shape[index + 1 :]) for index in range(len(shape))]


def _part(x: Array, block: slice) -> Array:
    """x[block]; where that is all of x, without making a view, which costs as much as a small kernel."""
    return x if block.stop - block.start == len(x) else x[block]


def _first(x: Array, count: int) -> Array:
    """x[:count], likewise."""
    return x if count == len(x) else x[:count]


def _unfolded(x: Array, shape: Shape, steps: Shape) -> Array:
    """x (n, ...), laid out row by row, seen as (n, *shape) with neighbours `steps` apart."""
    itemsize = x.itemsize
    return strided(x, (len(x), *shape), (x.strides[0], *[step * itemsize for step in steps]))


class _Columns:
    """Memory for the columns of `geometry.step` images, which is filled or folded block by block.

    Attributes:
        elements: (step, C, *kernel, *points).
        matrices: the same elements as (step, groups, rows, points).
    """

    __slots__ = ("_lines", "_whole", "elements", "geometry", "matrices")

    def __init__(self, like: Array, geometry: Geometry) -> None:
        self.geometry = geometry
        step, groups = geometry.step, geometry.groups
        _, rows, count = geometry.matrix
        if geometry.merged:
            rank = len(geometry.points)
            memory = buffer(like, (*geometry.columns[:-rank], step, *geometry.points))
            self.elements = memory.transpose(rank + 1, *range(rank + 1), *range(rank + 2, 2 * rank + 2))
            self.matrices = memory.reshape(groups, rows, step, count).transpose(2, 0, 1, 3)
        else:
            self.elements = buffer(like, (step, *geometry.columns))
            self.matrices = self.elements.reshape(step, groups, rows, count)
        self._lines: Array | None = None
        self._whole: Array | None = None

    def fill(self, x: Array) -> Array:
        """The columns of x (n, C, *size), as matrices."""
        geometry, elements = self.geometry, _first(self.elements, len(x))
        x = self._padded(x)
        lines = self._memory_of_lines(x, geometry.lines, geometry.unfolds_rows)
        np.copyto(lines, _unfolded(x, geometry.lines, geometry.line_steps))
        if geometry.unfolds_rows:
            np.copyto(elements, _unfolded(lines, geometry.columns, geometry.column_steps))
        return _first(self.matrices, len(x))

    def fold(self, x: Array) -> None:
        """The adjoint of `fill`: x (n, C, *size) becomes, at each place, the sum of the elements that come from it."""
        geometry, elements = self.geometry, _first(self.elements, len(x))
        lines = self._memory_of_lines(x, geometry.folded_lines, geometry.folds_rows)
        if geometry.folds_rows:
            lines.fill(0)
            for at_line, at_element in geometry.row_indices:
                target = lines[at_line]
                np.add(target, elements[at_element], out=target)
        x.fill(0)
        for place, pair in enumerate(geometry.windows):
            if pair is not None:
                target = x[..., pair[1]]
                np.add(target, lines[:, :, place, ..., pair[0]], out=target)

    def _padded(self, x: Array) -> Array:
        geometry = self.geometry
        if geometry.padded is None:
            return row_major(x)
        if self._whole is None:
            self._whole = buffer(x, (geometry.step, x.shape[1], *geometry.padded))
            self._whole.fill(0)
        whole = _first(self._whole, len(x))
        np.copyto(whole[geometry.interior], x)
        return whole

    def _memory_of_lines(self, x: Array, shape: Shape, apart: bool) -> Array:
        """Lines of as many images as there are in x, `apart` from the columns or as a view of them."""
        if not apart:
            return _first(self.elements, len(x)).reshape(len(x), *shape)
        if self._lines is None:
            self._lines = buffer(x, (self.geometry.step, *shape))
        return _first(self._lines, len(x))


# -- products of blocks, (n, groups, rows, points) ------------------------------------------------------------------


def _merge(block: Array) -> Array:
    """(n, groups, rows, points) -> (groups, rows, n * points): a view of what is merged already."""
    n, groups, rows, count = block.shape
    return row_major(block.transpose(1, 2, 0, 3)).reshape(groups, rows, n * count)


def _multiply(matrix: Array, block: Array, out: Array, merged: bool) -> None:
    """out[n] = matrix @ block[n]: (groups, r, k), (n, groups, k, points) -> (n, groups, r, points)."""
    if matrix.shape[2] == 1:  # NumPy has no BLAS for outer products
        np.multiply(matrix, block, out=out)
    elif not merged:
        np.matmul(matrix, block, out=out)
    else:
        target = out.transpose(1, 2, 0, 3)
        if target.flags.c_contiguous:
            groups, rows, n, count = target.shape
            np.matmul(matrix, _merge(block), out=target.reshape(groups, rows, n * count))
        else:
            np.copyto(target, np.matmul(matrix, _merge(block)).reshape(target.shape))


def _multiply_images(g: Array, columns: Array, out: Array, merged: bool) -> None:
    """out = the sum of g[n] @ columns[n].T: (n, groups, r, points), (n, groups, k, points) -> (groups, r, k)."""
    if merged:
        np.matmul(_merge(g), _merge(columns).swapaxes(1, 2), out=out)
    else:
        np.copyto(out, np.add.reduce(np.matmul(columns, g.swapaxes(2, 3)), axis=0).swapaxes(1, 2))


def _matrix(w: Array, geometry: Geometry) -> Array:
    """The weight as (groups, outputs, rows)."""
    outputs, rows, _ = geometry.matrix
    return row_major(w).reshape(geometry.groups, outputs, rows)


def _images(x: Array, geometry: Geometry, rows: int) -> Array:
    """x (n, groups * rows, *points) as (n, groups, rows, points)."""
    return row_major(x).reshape(len(x), geometry.groups, rows, geometry.matrix[2])


# -- the derivatives of the form ------------------------------------------------------------------------------------


def correlated(x: Array, w: Array, geometry: Geometry) -> Array:
    """The derivative by g."""
    outputs, rows, _ = geometry.matrix
    result = buffer(x, (len(x), len(w), *geometry.points))
    images, matrix = _images(result, geometry, outputs), _matrix(w, geometry)
    if geometry.pointwise:
        _multiply(matrix, _images(x, geometry, rows), images, geometry.merged)
        return result
    columns = _Columns(x, geometry)
    for block in geometry.blocks:
        _multiply(matrix, columns.fill(_part(x, block)), _part(images, block), geometry.merged)
    return result


def correlated_input(g: Array, w: Array, geometry: Geometry) -> Array:
    """The derivative by x."""
    outputs, rows, _ = geometry.matrix
    if geometry.adjoint is not None and not geometry.pointwise:
        return correlated(g, _turned(w, geometry), _adjoint_geometry(geometry.adjoint, geometry.groups))
    result = buffer(g, geometry.x_shape)
    images, matrix = _images(g, geometry, outputs), _matrix(w, geometry).swapaxes(1, 2)
    if geometry.pointwise:
        _multiply(matrix, images, _images(result, geometry, rows), geometry.merged)
        return result
    columns = _Columns(g, geometry)
    for block in geometry.blocks:
        part = _part(images, block)
        _multiply(matrix, part, _first(columns.matrices, len(part)), geometry.merged)
        columns.fold(_part(result, block))
    return result


def _turned(w: Array, geometry: Geometry) -> Array:
    """The weight with the kernel reversed and, in each group, the channels of input and output interchanged."""
    outputs, (channels, *kernel) = geometry.matrix[0], w.shape[1:]
    grouped = row_major(w).reshape(geometry.groups, outputs, channels, *kernel)
    backwards: Index = (..., *[slice(None, None, -1)] * len(kernel))
    return row_major(grouped.swapaxes(1, 2)[backwards]).reshape(geometry.groups * channels, outputs, *kernel)


def correlated_weight(g: Array, x: Array, geometry: Geometry) -> Array:
    """The derivative by w."""
    outputs, rows, _ = geometry.matrix
    result = buffer(g, geometry.w_shape)
    total = _matrix(result, geometry)
    if not len(x):
        result.fill(0)
    images = _images(g, geometry, outputs)
    columns = None if geometry.pointwise else _Columns(x, geometry)
    part = total if len(geometry.blocks) == 1 else buffer(total, total.shape)
    for number, block in enumerate(geometry.blocks):
        filled = _images(_part(x, block), geometry, rows) if columns is None else columns.fill(_part(x, block))
        _multiply_images(_part(images, block), filled, part if number else total, geometry.merged)
        if number:
            np.add(total, part, out=total)
    return result


# -- columns for their own sake -------------------------------------------------------------------------------------


def unfolded(x: Array, geometry: Geometry) -> Array:
    """The columns of x (n, C, *size): (n, C * places of the kernel, points)."""
    _, rows, count = geometry.matrix
    result = buffer(x, (len(x), rows, count))
    elements = result.reshape(len(x), *geometry.columns)
    columns = _Columns(x, geometry)
    for block in geometry.blocks:
        part = _part(x, block)
        columns.fill(part)
        np.copyto(_part(elements, block), _first(columns.elements, len(part)))
    return result


def folded(columns: Array, geometry: Geometry) -> Array:
    """The adjoint of `unfolded`."""
    elements = row_major(columns).reshape(len(columns), *geometry.columns)
    result = buffer(columns, geometry.x_shape)
    memory = _Columns(columns, geometry)
    for block in geometry.blocks:
        part = _part(elements, block)
        np.copyto(_first(memory.elements, len(part)), part)
        memory.fold(_part(result, block))
    return result
