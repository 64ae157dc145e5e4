"""matplotlib's figures as text, for a page that needs no other file."""

from __future__ import annotations

import io
from typing import Any


def svg_of(figure: Any) -> str:
    """A figure as an <svg> element."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
