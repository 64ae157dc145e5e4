"""The multi-layer perceptrons as other libraries, and bare NumPy, train them.

Each module has `prepare(mlp, parameters)`: from the numbers of the network and its initial parameters (weight and bias of each
layer, as `nn.Linear` keeps them: weight (outputs, inputs)) to a step, which returns a loss with `.item()`. It is written
as that library's own users would for speed.
"""
