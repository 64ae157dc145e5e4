"""A first neural network: four inputs of three numbers, two hidden layers, one hundred steps.

With PyTorch the first line of code reads `import torch`; nothing else changes, and the numbers are the same.
"""

import minitorch_like as torch

torch.manual_seed(99)

model = torch.nn.Sequential(
    torch.nn.Linear(3, 4),
    torch.nn.ReLU(),
    torch.nn.Linear(4, 4),
    torch.nn.ReLU(),
    torch.nn.Linear(4, 1),
)
xs = torch.tensor([[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]])
ys = torch.tensor([[1.0], [0.0], [0.0], [1.0]])

loss_fn = torch.nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

for step in range(100):
    predictions = model(xs)
    loss = loss_fn(predictions, ys)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step:2d}  loss {loss.item():.6f}")

print("Final Loss:", loss.item())
print("Predictions:", *predictions.flatten().tolist(), sep="\n  ")
