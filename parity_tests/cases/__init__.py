"""Hypothesis strategies: tensors, graphs, training runs, invalid programs.  Nothing here knows a framework."""
