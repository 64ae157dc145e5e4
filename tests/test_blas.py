"""The choice of OpenBLAS's kernels: made before NumPy is loaded, for one family of processors, and by nobody else's leave."""

import os
import subprocess
import sys

import pytest
from threadpoolctl import threadpool_info

from minitorch_like import _blas

LIBRARIES = [each for each in threadpool_info() if each["internal_api"] == "openblas"]
pytestmark = pytest.mark.skipif(not LIBRARIES, reason="NumPy computes with another BLAS than OpenBLAS")

PROGRAM = """
{imports}
import os
from threadpoolctl import threadpool_info
print([each["architecture"] for each in threadpool_info() if each["internal_api"] == "openblas"][0])
print(os.environ.get("OPENBLAS_CORETYPE"))
"""


def architecture_and_variable(imports, **choice):
    """Of a new process after these imports: the processor that OpenBLAS computes for, and the variable."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"} | choice
    run = [sys.executable, "-c", PROGRAM.format(imports=imports)]
    return subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout.split()


def test_the_environment_is_left_as_it_was():
    assert architecture_and_variable("import minitorch_like")[1] == "None"


def test_the_users_choice_counts():
    choice = {"OPENBLAS_CORETYPE": "Nehalem"}
    assert architecture_and_variable("import minitorch_like", **choice) == ["Nehalem", "Nehalem"]


def test_a_loaded_numpy_stays_as_it_is():
    alone = architecture_and_variable("import numpy")
    assert architecture_and_variable("import numpy, minitorch_like") == alone


def test_zen_4_takes_the_kernels_of_haswell():
    if not _blas._is_zen_4():
        pytest.skip("this processor is of another family")
    assert architecture_and_variable("import minitorch_like")[0] == "Haswell"
