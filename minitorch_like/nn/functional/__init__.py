"""`torch.nn.functional`: what the modules compute, as functions. Signatures and defaults are torch's."""

from .activations import (
    leaky_relu,
    linear,
    log_softmax,
    relu,
    sigmoid,
    softmax,
    softmin,
    softsign,
    tanh,
    tanhshrink,
)
from .dropouts import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from .losses import cross_entropy, l1_loss, mse_loss, nll_loss
from .vectors import normalize, one_hot
