"""Speed, memory and import time beside torch, bare NumPy and the peers. Run all of it with `python -m benchmarks`.

Every variant is measured in a process of its own; the processes are asked in turn, round after round, so that
whatever else the machine does meanwhile falls on all of them. Within a round the best of several repeats counts, because
noise only ever adds; over the rounds the median, shown with its range. `docs/speed.md` says more.
"""
