"""One number that remembers where it came from: backpropagation in a class, and a network of such numbers."""
