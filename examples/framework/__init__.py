"""The same problems with tensors, modules and optimisers: what the small systems grow into."""
