"""Pictures of what is computed: graphs (`draw_dot`), formulas (`expression`), losses and decisions (matplotlib)."""

from ._dot import Dot, draw_dot
from ._graph import watch

__all__ = ["Dot", "draw_dot", "watch"]
