"""`torch.nn`: modules, their functions, their initialisation."""

from . import functional, init, modules, parameter, utils
from .modules import *  # noqa: F403 -- nn.Linear is nn.modules.Linear, for every module there is
from .parameter import Buffer, Parameter
