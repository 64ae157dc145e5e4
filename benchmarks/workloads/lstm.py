"""A language model with one LSTM layer, trained by Adam."""

from __future__ import annotations

from typing import Any

from benchmarks.workloads.text import BATCH, LENGTH, VOCABULARY, next_token_loss, tokens
from benchmarks.workloads.training import Training, Workload

HIDDEN = 64


def build(torch: Any) -> Training:
    nn = torch.nn

    class LanguageModel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, HIDDEN)
            self.lstm = nn.LSTM(HIDDEN, HIDDEN, batch_first=True)
            self.head = nn.Linear(HIDDEN, VOCABULARY)

        def forward(self, text: Any) -> Any:
            states, _ = self.lstm(self.embedding(text))
            return self.head(states)

    model = LanguageModel()
    text, successors = tokens(torch)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Training(model, optimizer, lambda: next_token_loss(torch, model(text), successors))


LSTM = Workload(f"LSTM language model, {LENGTH} steps of {HIDDEN}, batch {BATCH}, Adam", build)
