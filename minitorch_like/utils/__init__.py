"""Helpers: torch's `torch.utils`."""
