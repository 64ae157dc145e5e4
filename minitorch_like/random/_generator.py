"""The engine: MT19937 in torch's state format, read in runs of words.

Words are drawn from NumPy's bit generator one block (624 words) ahead, so that a small draw is a slice.  The
state that torch would show at this point needs no bookkeeping: a block's words are its state, tempered, and
tempering is invertible.  Source of the engine: Matsumoto and Nishimura, "Mersenne Twister" (1998).
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._device import device as Device

if TYPE_CHECKING:
    from .._tensor import Tensor

Words = NDArray[np.uint32]

_DEFAULT_SEED = 67280421310721
_BLOCK = 624
_BLOCK_BYTES = 8 * _BLOCK
_HEAD = struct.Struct("<QiiQ")  # seed, left, seeded, next
_TAIL = struct.Struct("<dddi4xfB3x")  # unused x, cached normal, unused rho, valid, unused float cache
_STATE_SIZE = _HEAD.size + _BLOCK_BYTES + _TAIL.size
_NO_WORDS: Words = np.empty(0, np.uint32)
_U7, _U11, _U15, _U18, _MASK_7, _MASK_15 = map(np.uint32, (7, 11, 15, 18, 0x9D2C5680, 0xEFC60000))


def _temper(state: Any) -> Any:
    """The words that the engine puts out for a block of its state."""
    y = state ^ (state >> _U11)
    y ^= (y << _U7) & _MASK_7
    y ^= (y << _U15) & _MASK_15
    return y ^ (y >> _U18)


def _untemper(words: Any) -> Any:
    """The block of state behind a block of words: each xor-shift is undone as often as its bits overlap."""
    y = words ^ (words >> _U18)
    y ^= (y << _U15) & _MASK_15
    partial = y
    for _ in range(4):
        partial = y ^ ((partial << _U7) & _MASK_7)
    half = partial ^ (partial >> _U11)
    return partial ^ (half >> _U11)


def _mt19937() -> Any:
    """An unseeded bit generator, without the hashing of entropy that makes the plain constructor slow."""
    from numpy.random import MT19937
    from numpy.random.bit_generator import ISeedSequence

    class Unseeded(ISeedSequence):
        def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
            return np.zeros(n_words, dtype)

    return MT19937(Unseeded())  # type: ignore[arg-type]  # the stubs know SeedSequence only


class Generator:
    """A stream of random numbers, equal to the stream of a `torch.Generator` on the CPU.

    Samplers read it with `words`.  `cached_normal` is what a serial draw of normals, in pairs, left over.
    """

    __slots__ = ("__weakref__", "_bits", "_seed", "_seeding", "_start", "_words", "cached_normal", "device")

    def __init__(self, device: Device | str | None = None) -> None:
        self.device = Device("cpu" if device is None else device)
        if self.device.type != "cpu":
            raise RuntimeError(f"Device type {self.device.type} is not supported for torch.Generator() api.")
        self._bits: Any = None  # made at the first draw: numpy.random is slow to import
        self._reset(_DEFAULT_SEED)

    def _reset(self, seed: int) -> None:
        self._seed = seed
        self._seeding = True
        self._words = _NO_WORDS  # the words of the current block, _start of them spent
        self._start = 0
        self.cached_normal: float | None = None

    def words(self, count: int) -> Words:
        """The next `count` words of 32 bits; a view of the generator's own block, so not to be written to."""
        start = self._start
        stop = start + count
        if stop <= self._words.size:
            self._start = stop
            return self._words[start:stop]
        return self._refill(count)

    def _refill(self, count: int) -> Words:
        rest = self._words[self._start :]
        missing = count - rest.size
        blocks = -(-missing // _BLOCK)
        fresh: Words = self._source().random_raw(blocks * _BLOCK).astype(np.uint32)
        self._words = fresh if blocks == 1 else fresh[-_BLOCK:].copy()
        self._start = missing - (blocks - 1) * _BLOCK
        return np.concatenate((rest, fresh[:missing])) if rest.size else fresh[:missing]

    def _source(self) -> Any:
        if self._bits is None:
            self._bits = _mt19937()
        if self._seeding:
            np.random.RandomState(self._bits).seed(self._seed & 0xFFFFFFFF)
            self._seeding = False
        return self._bits

    def word64(self) -> int:
        """The next 64-bit number, as Python's int."""
        high, low = self.words(2).tolist()
        return int(high << 32 | low)

    def manual_seed(self, seed: int, /) -> Generator:
        """Start the stream of `seed` (-2**63 to 2**64 - 1, else ValueError); returns the generator."""
        if type(seed) is not int:
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        self._reset(seed % 2**64)
        return self

    def seed(self) -> int:
        """Start the stream of a seed that the operating system picks; returns that seed."""
        self._reset(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed of the current stream, modulo 2**64."""
        return self._seed

    def state_bytes(self) -> NDArray[np.uint8]:
        """The state in torch's layout, 5056 bytes."""
        if self._words.size:
            state, spent = _untemper(self._words), self._start
        else:  # nothing drawn since the seed: the block is not yet twisted
            state, spent = self._source().state["state"]["key"], 0
        left = _BLOCK + 1 - spent if spent else 1
        cached = self.cached_normal
        head = _HEAD.pack(self._seed, left, 1, spent)
        tail = _TAIL.pack(0.0, cached or 0.0, 0.0, cached is not None, 0.0, 0)
        return np.frombuffer(bytearray(head + state.astype("<u8").tobytes() + tail), np.uint8)

    def load_bytes(self, state: NDArray[np.uint8]) -> None:
        """Continue from a state in torch's layout; RuntimeError if it is none."""
        if state.size != _STATE_SIZE:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE_SIZE} "
                f"but found the input RNG state size to be {state.size}"
            )
        content = state.tobytes()
        seed, left, seeded, spent = _HEAD.unpack_from(content)
        if not (seeded == 1 and 0 < left <= _BLOCK and spent <= _BLOCK):
            raise RuntimeError("Invalid mt19937 state")
        key = np.frombuffer(content, "<u8", _BLOCK, _HEAD.size).astype(np.uint32)
        _, normal, _, valid, _, _ = _TAIL.unpack_from(content, _HEAD.size + _BLOCK_BYTES)
        self._reset(seed)
        self._source().state = {"bit_generator": "MT19937", "state": {"key": key, "pos": _BLOCK}}
        if spent:
            self._words, self._start = _temper(key), spent
        self.cached_normal = normal if valid else None

    def get_state(self) -> Tensor:
        """The state as a uint8 tensor of shape (5056,), in torch's layout."""
        from .._tensor import wrap

        return wrap(self.state_bytes())

    def set_state(self, new_state: Tensor, /) -> Generator:
        """Continue from a state of `get_state`, ours or torch's; TypeError if it is no ByteTensor."""
        from .._tensor import Tensor

        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        data = new_state._data
        if data.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if not data.flags.c_contiguous:
            raise RuntimeError("RNG state must be contiguous")
        self.load_bytes(data)
        return self

    def clone_state(self) -> Generator:
        """A new generator at the same place of the same stream."""
        clone = Generator()
        clone.load_bytes(self.state_bytes())
        return clone

    def get_offset(self) -> int:
        """The offset of a counter-based stream, which the CPU's is not: RuntimeError."""
        raise RuntimeError("CPU Generator does not use offset")

    def set_offset(self, offset: int, /) -> Generator:
        """See `get_offset`."""
        raise RuntimeError("CPU Generator does not use offset")

    def __reduce__(self) -> tuple[Any, ...]:
        return Generator, (self.device,), self.state_bytes().tobytes()

    def __setstate__(self, state: bytes) -> None:
        self.load_bytes(np.frombuffer(state, np.uint8))

    def __repr__(self) -> str:
        return f"<torch._C.Generator object at {id(self):#x}>"


default_generator = Generator()
default_generator.seed()
