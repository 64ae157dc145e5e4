"""Handwritten digits: 1,797 images of 8 x 8 pixels, an MLP, shuffled mini-batches.

With PyTorch the import line reads `import torch`; the batches, the losses and the accuracy are the same.
scikit-learn is needed for its images only.
"""

from sklearn.datasets import load_digits

import minitorch_like as torch

EPOCHS, BATCH = 20, 64

torch.manual_seed(0)
images, labels = load_digits(return_X_y=True)
x = torch.tensor(images, dtype=torch.float32) / 16  # pixels are 0 to 16
y = torch.tensor(labels)

shuffled = torch.randperm(len(x))
train, test = shuffled[:1437], shuffled[1437:]

model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
loss_fn = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

for epoch in range(EPOCHS):
    order = train[torch.randperm(len(train))]
    total = 0.0
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        loss = loss_fn(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch:2d}  loss {total / len(train):.7f}  first images", order[:5].tolist())

with torch.no_grad():
    correct = (model(x[test]).argmax(dim=1) == y[test]).sum().item()
print(f"test accuracy {correct}/{len(test)} = {correct / len(test):.2%}")
