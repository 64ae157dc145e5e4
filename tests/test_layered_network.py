"""The layered network: its derivatives are torch's, its training is gradient descent, its tasks come out."""

import numpy as np
import pytest

from examples.layered_network import example
from examples.layered_network.backend import BACKEND
from examples.layered_network.network import MSE, Layer, LeakyReLU, Network, Sigmoid
from examples.scoreboard import verdicts


def numerical(function, x, nudge=1e-6):
    """The derivative of a function of an array into numbers, by central differences of one element after the other."""
    result = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += nudge
        down[place] -= nudge
        result[place] = (function(up) - function(down)) / (2 * nudge)
    return result


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("activation", [LeakyReLU(), LeakyReLU(0.3), Sigmoid()])
def test_the_derivative_of_an_activation_is_its_slope(activation, rng):
    x, weights = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
    slopes = numerical(lambda x: float((weights * activation.f(x)).sum()), x)
    np.testing.assert_allclose(weights * activation.df(x), slopes, rtol=1e-7, atol=1e-8)


def test_leaky_relu_takes_the_small_slope_at_zero():
    assert LeakyReLU(0.1).df(np.array([0.0])) == 0.1


def test_the_derivative_of_the_loss_is_its_slope(rng):
    output, target = rng.standard_normal((3, 5)), rng.standard_normal((3, 5))
    slopes = numerical(lambda output: MSE().f(output, target), output)
    np.testing.assert_allclose(MSE().df(output, target), slopes, rtol=1e-6, atol=1e-9)


def test_a_layer_hands_on_three_derivatives(rng):
    layer = Layer(3, 2, Sigmoid(), rng)
    x, force = rng.standard_normal((3, 4)), rng.standard_normal((2, 4))
    by_x, by_weight, by_bias = layer.backward(x, force)

    def pulled(x, weight, bias):
        return float((force * layer.activation.f(weight @ x + bias)).sum())

    np.testing.assert_allclose(by_x, numerical(lambda x: pulled(x, layer.weight, layer.bias), x), rtol=1e-6)
    np.testing.assert_allclose(by_weight, numerical(lambda w: pulled(x, w, layer.bias), layer.weight), rtol=1e-6)
    np.testing.assert_allclose(by_bias, numerical(lambda b: pulled(x, layer.weight, b), layer.bias), rtol=1e-6)
    assert by_bias.shape == layer.bias.shape


def test_a_sample_alone_gives_what_it_gives_among_others(rng):
    network = Network([Layer(3, 4, LeakyReLU(), rng), Layer(4, 2, Sigmoid(), rng)], MSE(), 0.1)
    x = rng.standard_normal((3, 5))
    alone = np.hstack([network.forward_pass(x[:, [column]]) for column in range(5)])
    np.testing.assert_allclose(network.forward_pass(x), alone, rtol=1e-14)


def test_layers_that_do_not_fit_are_named(rng):
    layers = [Layer(2, 3, Sigmoid(), rng), Layer(3, 4, Sigmoid(), rng), Layer(5, 1, Sigmoid(), rng)]
    with pytest.raises(ValueError, match=r"layer 1 puts out 4 features, but layer 2 takes 5"):
        Network(layers, MSE(), 0.1)


def test_training_is_torchs_gradient_descent_step_by_step(torch, rng):
    network = Network([Layer(3, 5, LeakyReLU(0.1), rng), Layer(5, 2, Sigmoid(), rng)], MSE(), 0.3)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.LeakyReLU(0.1), torch.nn.Linear(5, 2), torch.nn.Sigmoid()
    ).double()
    for linear, layer in zip((model[0], model[2]), network.layers, strict=True):
        linear.weight.data = torch.tensor(layer.weight)
        linear.bias.data = torch.tensor(layer.bias[:, 0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(20):
        x, target = rng.standard_normal((3, 8)), rng.uniform(size=(2, 8))
        expected = torch.nn.functional.mse_loss(model(torch.tensor(x.T)), torch.tensor(target.T))
        optimizer.zero_grad()
        expected.backward()
        optimizer.step()
        assert network.train(x, target) == pytest.approx(expected.item(), rel=1e-12)
        for linear, layer in zip((model[0], model[2]), network.layers, strict=True):
            np.testing.assert_allclose(layer.weight, linear.weight.detach().numpy(), rtol=1e-11)
            np.testing.assert_allclose(layer.bias[:, 0], linear.bias.detach().numpy(), rtol=1e-11)


def test_zeros_are_learnt_from_about_10_to_about_a_hundredth():
    task = example.zeros()
    assert task.before == pytest.approx(10.0, rel=0.1)
    assert task.after == pytest.approx(0.01, rel=0.1)


def test_quadrants_are_guessed_before_and_known_after():
    task = example.quadrants()
    assert task.before < 0.4
    assert task.after > 0.98
    corners = np.array([[1.0, -1.0, -1.0, 1.0], [1.0, 1.0, -1.0, -1.0]])
    assert task.trained.forward_pass(corners).argmax(axis=0).tolist() == [0, 1, 2, 3]
    assert len(task.losses) * 50 == 100_000


def test_digits_are_read():
    task = example.digits()
    assert task.before < 0.25
    assert task.after > 0.97
    assert task.losses[-1] < task.losses[0] / 10


def test_the_instrument_agrees_with_torch():
    (verdict,) = verdicts("layered_network", 25)
    assert not verdict.differences
    assert verdict.tally.cases == 50
    assert set(verdict.tally.unsupported) <= {"torch.no_grad is missing"}  # graphs with an unrecorded part
    assert verdict.tally.outcomes["pass"] > 25


def test_the_instrument_finds_a_wrong_slope(monkeypatch):
    monkeypatch.setattr(LeakyReLU, "df", lambda self, x: np.where(x > 0, 1.0, 0.0))
    (verdict,) = verdicts("layered_network", 50)
    assert verdict.differences
    assert "leaky_relu" in verdict.differences[0][1]


def test_the_backend_says_what_it_lacks():
    (verdict,) = verdicts("layered_network", 5)
    assert verdict.name == BACKEND.name
    assert verdict.ops == "leaky_relu, linear, mse_loss, sigmoid"
