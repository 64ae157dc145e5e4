"""A network as layers of columns: every layer knows its derivative, the network only calls them in order."""
