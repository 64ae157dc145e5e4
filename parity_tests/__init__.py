"""An instrument that builds the same thing in torch and in a candidate, and says exactly where they part."""
