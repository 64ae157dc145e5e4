"""A neural network as what it is: a function, written down as a tree of elementary operations."""
