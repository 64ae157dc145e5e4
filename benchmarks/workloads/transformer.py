"""A decoder of two transformer blocks, as in GPT-2 (https://arxiv.org/abs/2005.14165, section 2.1), trained by AdamW."""

from __future__ import annotations

from typing import Any

from benchmarks.workloads.text import BATCH, LENGTH, VOCABULARY, next_token_loss, tokens
from benchmarks.workloads.training import Training, Workload

LAYERS, WIDTH, HEADS, FEED_FORWARD = 2, 64, 4, 256


def build(torch: Any) -> Training:
    nn = torch.nn
    functional = nn.functional

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inputs = nn.Linear(WIDTH, 3 * WIDTH)
            self.output = nn.Linear(WIDTH, WIDTH)

        def forward(self, x: Any) -> Any:
            batch, length, _ = x.shape
            heads = self.inputs(x).view(batch, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            query, key, value = heads[0], heads[1], heads[2]
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            return self.output(mixed.transpose(1, 2).reshape(batch, length, WIDTH))

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention_norm = nn.LayerNorm(WIDTH)
            self.attention = Attention()
            self.feed_forward_norm = nn.LayerNorm(WIDTH)
            self.feed_forward = nn.Sequential(
                nn.Linear(WIDTH, FEED_FORWARD), nn.GELU(approximate="tanh"), nn.Linear(FEED_FORWARD, WIDTH)
            )

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.attention_norm(x))
            return x + self.feed_forward(self.feed_forward_norm(x))

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens = nn.Embedding(VOCABULARY, WIDTH)
            self.positions = nn.Embedding(LENGTH, WIDTH)
            self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
            self.norm = nn.LayerNorm(WIDTH)
            self.head = nn.Linear(WIDTH, VOCABULARY)

        def forward(self, text: Any) -> Any:
            x = self.tokens(text) + self.positions(torch.arange(text.shape[1]))
            return self.head(self.norm(self.blocks(x)))

    model = Decoder()
    text, successors = tokens(torch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    return Training(model, optimizer, lambda: next_token_loss(torch, model(text), successors))


TRANSFORMER = Workload(f"Transformer decoder, {LAYERS} x {WIDTH}, {HEADS} heads, batch {BATCH}, AdamW", build)
