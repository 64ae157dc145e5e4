"""`torch.utils.tensorboard`: not available, in the way in which it is not where tensorboard is not installed."""

raise ModuleNotFoundError(
    "torch.utils.tensorboard: minitorch_like writes no event files; a SummaryWriter is in the package tensorboardX",
    name="tensorboard",
)
