"""Speed, memory and import time beside torch. Run all of it with `python -m benchmarks`.

Every measurement is taken in a process of its own, on one thread, the frameworks in turn, several rounds:
whatever else the machine does meanwhile falls on all of them. Within a process the best of several repeats
counts, because noise only ever adds; between processes the median, shown with its range.
"""
