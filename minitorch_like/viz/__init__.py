"""Pictures of what is computed: graphs (`draw_dot`), formulas (`expression`), losses and decisions (matplotlib)."""

from ._dot import Dot, draw_dot
from ._expression import expression
from ._graph import watch
from ._plots import decision_boundary, plot_losses

__all__ = ["Dot", "decision_boundary", "draw_dot", "expression", "plot_losses", "watch"]
