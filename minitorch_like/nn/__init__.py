"""`torch.nn`: modules, their functions, their initialisation."""

from minitorch_like._later import complete as _complete

_complete()  # whoever imports nn is about to need the rest of the op table

from . import functional, init, modules, parameter, utils  # noqa: E402
from .modules import *  # noqa: E402, F403 -- nn.Linear is nn.modules.Linear, for every module there is
from .parameter import Buffer, Parameter  # noqa: E402
