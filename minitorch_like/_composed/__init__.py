"""Functions and methods that are composed of ops, or that stand beside them.  All are loaded late, see `_later`."""
