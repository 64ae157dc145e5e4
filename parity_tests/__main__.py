"""The command line: `python -m parity_tests` and `python -m parity_tests compare SCRIPT`."""

from parity_tests.cli import app

app(prog_name="python -m parity_tests")
