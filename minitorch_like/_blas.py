"""Which of OpenBLAS's kernels NumPy computes with."""

import os
import sys

_CHOICE = "OPENBLAS_CORETYPE"  # read by OpenBLAS when it is loaded


def choose_kernels() -> None:
    """Load NumPy with the kernels that are fastest on AMD's Zen 4, if it is not loaded yet and nobody has chosen.

    OpenBLAS sees AVX-512 and takes kernels that were tuned for Intel.  On Zen 4 an operation of 512 bits is two of 256, so
    that nothing is gained: products of a few hundred rows take a tenth less with the AVX2 kernels, those of Haswell
    (docs/speed.md).  NumPy's results may differ in their last bits.
    """
    if "numpy" in sys.modules or _CHOICE in os.environ or not _is_zen_4():
        return
    os.environ[_CHOICE] = "Haswell"
    try:
        import numpy  # noqa: F401
    finally:
        del os.environ[_CHOICE]


def _is_zen_4() -> bool:
    """Whether Linux says so; its family is that of Zen 3 too, for which OpenBLAS takes these kernels anyway."""
    try:
        with open("/proc/cpuinfo", "rb") as file:  # noqa: PTH123 -- pathlib takes longer to load than this to read
            described = file.read(256)
    except OSError:
        return False
    return b"AuthenticAMD" in described and b"cpu family\t: 25\n" in described
