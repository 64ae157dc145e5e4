"""What the language models train on: random text, of which each next token is to be foretold."""

from __future__ import annotations

from typing import Any

import numpy as np

BATCH, LENGTH, VOCABULARY = 16, 32, 100


def tokens(torch: Any) -> tuple[Any, Any]:
    """Tokens and their successors, int64 (BATCH, LENGTH) each."""
    text = np.random.default_rng(0).integers(VOCABULARY, size=(BATCH, LENGTH + 1))
    return torch.from_numpy(text[:, :-1].copy()), torch.from_numpy(text[:, 1:].copy())


def next_token_loss(torch: Any, logits: Any, successors: Any) -> Any:
    """Mean cross entropy of logits (BATCH, LENGTH, VOCABULARY)."""
    return torch.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), successors.reshape(-1))
