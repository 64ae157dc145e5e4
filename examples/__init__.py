"""Every small system that people learn backpropagation from, running, and held against torch."""
