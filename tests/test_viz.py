"""Pictures say what is known, and leave no trace in the graph."""

import gc
import os
import stat
import subprocess
import sys
import weakref
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

import minitorch_like as torch
from minitorch_like import _record, nn, viz
from minitorch_like.ops import TABLE
from minitorch_like.viz import _layout, _picture, draw_dot, expression
from minitorch_like.viz._graph import read


def leaf(value, label=""):
    made = torch.tensor(value, requires_grad=True)
    if label:
        made.label = label
    return made


@pytest.fixture
def lecture():
    """(a b + c) f with every value labelled and its gradient kept, after backward."""
    a, b, c, f = (leaf(value, label) for value, label in ((2.0, "a"), (-3.0, "b"), (10.0, "c"), (-2.0, "f")))
    e = a * b
    d = e + c
    out = d * f
    for tensor, label in ((e, "e"), (d, "d"), (out, "L")):
        tensor.label = label
        tensor.retain_grad()
    out.backward()
    return {"a": a, "b": b, "c": c, "f": f, "e": e, "d": d, "L": out}


def known(tensor, **options):
    """(label, data, grad) of every value behind a tensor."""
    return [
        (each.label, *(None if array is None else array.tolist() for array in (each.data, each.grad)))
        for each in read(tensor, **options)
    ]


# -- what is known ---------------------------------------------------------------------------------------


def test_the_lectures_picture(lecture):
    assert (
        draw_dot(lecture["L"]).source
        == """digraph {
  rankdir=LR
  node [fontname="monospace", fontsize=10]
  n0 [label="{ a | data\\ 2.0000 | grad\\ 6.0000 }", shape=record]
  n1 [label="{ b | data\\ -3.0000 | grad\\ -4.0000 }", shape=record]
  n2 [label="*", shape=box, style=rounded]
  n3 [label="{ e | data\\ -6.0000 | grad\\ -2.0000 }", shape=record]
  n4 [label="{ c | data\\ 10.0000 | grad\\ -2.0000 }", shape=record]
  n5 [label="+", shape=box, style=rounded]
  n6 [label="{ d | data\\ 4.0000 | grad\\ -2.0000 }", shape=record]
  n7 [label="{ f | data\\ -2.0000 | grad\\ 4.0000 }", shape=record]
  n8 [label="*", shape=box, style=rounded]
  n9 [label="{ L | data\\ -8.0000 | grad\\ 1.0000 }", shape=record]
  n0 -> n2
  n1 -> n2
  n2 -> n3
  n3 -> n5
  n4 -> n5
  n5 -> n6
  n6 -> n8
  n7 -> n8
  n8 -> n9
}
"""
    )


def test_values_come_from_living_tensors_or_from_what_the_graph_has_saved():
    a, b = leaf(2.0, "a"), leaf(3.0, "b")
    out = (a + b) * b  # the product has saved the sum
    assert known(out) == [("a", 2.0, None), ("b", 3.0, None), ("", 5.0, None), ("", 15.0, None)]
    out.backward()  # and freed it
    assert known(out) == [("a", 2.0, 3.0), ("b", 3.0, 8.0), ("", None, None), ("", 15.0, None)]
    assert "data\\ —" in draw_dot(out).source


def test_within_watch_everything_is_known():
    a, b = leaf(2.0, "a"), leaf(3.0, "b")
    with viz.watch():
        out = (a + b) * b + 1
    out.backward()
    found = known(out)
    assert found == [("a", 2.0, 3.0), ("b", 3.0, 8.0), ("", 5.0, 3.0), ("", 15.0, 1.0), ("", 16.0, 1.0)]
    assert expression(out) == "(a + b) * b + 1"


def test_watch_ends():
    def hooks():
        return TABLE["add"].apply, TABLE["matmul"].apply, _record.make_node

    plain = hooks()
    with viz.watch():
        assert not set(plain) & set(hooks())
    assert hooks() == plain
    with pytest.raises(RuntimeError), viz.watch():
        torch.ones(2) @ torch.ones(3)
    assert hooks() == plain


def test_watched_values_are_those_of_the_moment():
    w = leaf(2.0)
    with viz.watch():
        out = w * 3
        total = out + w
        out.detach().fill_(-1.0)
    values = known(total)
    del out
    assert values[1][1] == -1.0  # the living tensor, as it is now
    assert known(total)[1][1] == 6.0  # what was kept, when nobody holds it any more


def test_a_saved_value_that_was_overwritten_is_not_shown():
    a, b = leaf(2.0), leaf(3.0)
    middle = a + b
    out = middle * b
    middle.detach().fill_(7.0)
    del middle
    assert known(out)[2][1] is None


def test_labels_of_inputs_that_need_no_gradient():
    x, w = torch.tensor([1.0, 2.0]), leaf([3.0, 4.0], "w")
    x.label = "x"
    assert known(x * w) == [("x", [1.0, 2.0], None), ("w", [3.0, 4.0], None), ("", [3.0, 8.0], None)]


def test_names_from_a_module_or_a_mapping():
    model = nn.Linear(2, 1)
    x = torch.ones(1, 2)
    out = model(x)
    assert [each.label for each in read(out, model)] == ["", "weight", "bias", ""]
    assert [each.label for each in read(out, {"input": x})] == ["input", "", "", ""]


def test_the_parts_of_a_call_with_several_results():
    x = leaf([[1.0, 5.0], [7.0, 2.0]], "x")
    values, _ = x.max(dim=1)
    assert expression(values.sum()) == "sum(max(x, dim=1).values)"
    first, second = x.unbind(0)
    assert expression(second - first) == "unbind(x)[1] - unbind(x)[0]"
    assert draw_dot(second - first).source.count('"unbind"') == 1


def test_a_tensor_without_history_is_a_single_box():
    assert draw_dot(torch.tensor(2)).source.count("label=") == 1
    assert draw_dot(leaf(2.5, "w")).source.count("{ w | data\\ 2.5000 | grad\\ — }") == 1


def test_writing_through_a_view_is_shown():
    x = leaf([1.0, 2.0], "x")
    y = x * 3
    y[0] = 9.0
    text = expression(y.sum())
    assert text.startswith("sum(")
    assert "?" in text  # the constant is not kept
    assert _picture.of_graph(read(y.sum()), 100).boxes


def test_a_graph_that_was_drawn_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        w = leaf(2.0)
        with viz.watch():
            out = (w * 3 + 1).tanh()
            shifted = torch.zeros(3)
            shifted.add_(w)  # written to: its history is the node that keeps its operands
        out.backward(retain_graph=True)
        draw_dot(out), expression(out), draw_dot(shifted)
        gone = [weakref.ref(each) for each in (out, out._node, shifted, shifted._node)]
        del out, shifted
        assert [each() for each in gone] == [None] * 4
    finally:
        gc.enable()


# -- big graphs ------------------------------------------------------------------------------------------


def tangle(ops, seed=0):
    """A graph with branches and joins."""
    rng = np.random.default_rng(seed)
    values = [leaf(1.0, f"w{k}") for k in range(4)]
    for _ in range(ops):
        left, right = rng.integers(max(0, len(values) - 6), len(values), 2)
        values.append(values[left].tanh() if rng.random() < 0.5 else values[left] + values[right])
    return values[-1]


@pytest.mark.parametrize("max_nodes", [3, 4, 10, 25, 60, 150, 400])
def test_a_picture_has_at_most_so_many_boxes(max_nodes):
    picture = _picture.of_graph(read(tangle(120)), max_nodes)
    assert 2 <= len(picture.boxes) <= max_nodes
    assert all(start < end for start, end in picture.arrows)
    reached = {end for _, end in picture.arrows} | {start for start, _ in picture.arrows}
    assert reached == set(range(len(picture.boxes)))


def test_what_is_left_out_is_counted():
    out = leaf(1.0)
    for _ in range(100):
        out = out.relu() + out.sin()  # nothing to fold: three ops, of which two share an operand
    boxes = _picture.of_graph(read(out), 20).boxes
    assert [box.cells[0] for box in boxes if box.kind == "more"] == ["… 282 more ops"]
    assert [box.kind for box in boxes].count("op") == 18


def test_intermediate_values_go_first_then_runs_become_one_box():
    w, b = leaf(0.5, "w"), leaf(0.1, "b")
    out = w
    for _ in range(10):
        out = (out * w + b).tanh()
    whole = _picture.of_graph(read(out), 200).boxes
    assert [box.kind for box in whole].count("op") == 30 == [box.kind for box in whole].count("value") - 2
    ops = _picture.of_graph(read(out), 40).boxes
    assert [box.kind for box in ops].count("op") == 30
    assert [box.cells[0] for box in ops if box.kind == "value"] == ["w", "b", f"data {out.item():.4f}"]
    run, _ = _picture.of_graph(read(out), 10).boxes
    assert run.cells == ["* … tanh (30 ops) [w, b] → ()"]


def test_a_graph_of_thousands_of_ops_is_drawn_without_recursion():
    x = out = leaf(0.5)
    for _ in range(5000):
        out = out.sin()
    assert "(5,000 ops)" in draw_dot(out).source
    with pytest.raises(ValueError, match=r"5,000 ops are behind this tensor, more than max_ops=500"):
        expression(out)
    del x


# -- modules ---------------------------------------------------------------------------------------------


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        return x + self.scale * self.inner(x)


def boxes_and_arrows(module, max_nodes=200):
    picture = _picture.of_module(module, max_nodes)
    names = [box.cells[0] for box in picture.boxes]
    return names, [(names[start], names[end]) for start, end in picture.arrows]


def test_arrows_follow_a_sequential():
    names, arrows = boxes_and_arrows(
        nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 1)), nn.Tanh())
    )
    assert names == ["0: Linear", "1.0: ReLU", "1.1: Linear", "2: Tanh"]
    assert arrows == list(pairwise(names))


def test_any_other_module_points_at_those_that_it_holds():
    names, arrows = boxes_and_arrows(nn.Sequential(Residual(), nn.Tanh()))
    assert names == ["0: Residual", "0.inner.0: Linear", "0.inner.1: ReLU", "1: Tanh"]
    assert arrows == [
        ("0: Residual", "0.inner.0: Linear"),
        ("0.inner.0: Linear", "0.inner.1: ReLU"),
        ("0: Residual", "1: Tanh"),
    ]


def test_a_modules_parameters_are_shown_with_their_gradients():
    model = nn.Linear(1, 1)
    model.weight.data.fill_(2.0)
    model.bias.data.fill_(-1.0)
    model(torch.tensor([[3.0]])).sum().backward()
    (box,) = _picture.of_module(model, 200).boxes
    assert box.cells == [
        "Linear",
        "in_features=1, out_features=1, bias=True",
        "weight: data 2.0000, grad 3.0000",
        "bias: data -1.0000, grad 1.0000",
    ]


def test_groups_are_clusters():
    source = draw_dot(nn.Sequential(nn.Sequential(nn.ReLU()), nn.Tanh())).source
    assert source.count("subgraph cluster_") == 2
    assert 'label="0: Sequential"' in source
    assert source.count("{") == source.count("}")


def test_a_big_module_is_shown_to_a_lesser_depth():
    model = nn.Sequential(*(nn.Sequential(*(nn.Linear(2, 2) for _ in range(10))) for _ in range(5)))
    names, arrows = boxes_and_arrows(model, 20)
    assert names == [f"{k}: Sequential" for k in range(5)]
    assert len(arrows) == 4
    (box, *_) = _picture.of_module(model, 20).boxes
    assert box.cells[1] == "10 modules, 60 parameters"
    assert boxes_and_arrows(model, 1)[0] == ["Sequential"]


# -- numbers and text ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array(2.0), "2.0000"),
        (np.array([3]), "3"),
        (np.array(True), "True"),
        (np.array(1e-6), "1e-06"),
        (np.array(-2.5e7), "-2.5e+07"),
        (np.array(np.nan), "nan"),
        (np.array([[1.0, -2.0]]), "[[1.0000, -2.0000]]"),
        (np.arange(6.0).reshape(2, 3), "(2, 3) 0.0000 … 5.0000"),
        (np.zeros((0, 3)), "(0, 3)"),
        (None, "—"),
    ],
)
def test_elements_in_short(array, text):
    assert _picture.elements(array) == text


def test_labels_may_hold_any_character():
    x = leaf(1.0, 'a|b {"c"} <d>\\e')
    source = draw_dot(x * 2).source
    assert '{ a\\|b\\ \\{\\"c\\"\\}\\ \\<d\\>\\\\e | data\\ 1.0000' in source
    ElementTree.fromstring(draw_dot(x * 2)._repr_svg_())


@pytest.mark.parametrize("root", [None, 3.0, np.ones(2)])
def test_what_is_no_tensor_and_no_module_is_refused(root):
    with pytest.raises(TypeError, match="draw_dot: expected a Tensor or a Module, not"):
        draw_dot(root)
    with pytest.raises(TypeError, match="expression: expected a Tensor, not"):
        expression(root)


def test_an_unknown_direction_is_refused():
    with pytest.raises(ValueError, match="rankdir must be LR, TB, RL or BT, not 'LTR'"):
        draw_dot(leaf(1.0), rankdir="LTR")


# -- images ----------------------------------------------------------------------------------------------


@pytest.fixture
def no_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def fake_dot(monkeypatch, tmp_path):
    """A program called dot that says how it was called."""
    program = tmp_path / "dot"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint('called', *sys.argv[1:])\nprint(sys.stdin.read())\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return program


def test_svg_needs_no_graphviz(no_dot, lecture, tmp_path):
    dot = draw_dot(lecture["L"])
    root = ElementTree.fromstring(dot._repr_svg_())
    assert root.tag.endswith("svg")
    texts = [each.text for each in root.iter() if each.tag.endswith("text")]
    assert texts[:3] == ["a", "data 2.0000", "grad 6.0000"]
    assert dot.render(tmp_path / "picture.svg").read_text() == dot._repr_svg_()
    assert dot.render(tmp_path / "picture.dot").read_text() == dot.source == str(dot)


def test_another_format_without_graphviz_says_what_is_missing(no_dot, lecture):
    with pytest.raises(RuntimeError, match=r"png needs Graphviz's program `dot`, which is not on the PATH"):
        draw_dot(lecture["L"]).pipe("png")


def test_graphviz_draws_where_it_is_installed(fake_dot, lecture, tmp_path):
    dot = draw_dot(lecture["L"], format="png")
    assert dot.pipe().decode() == f"called -Tpng\n{dot.source}\n"
    assert dot.render(tmp_path / "picture.pdf").read_text().startswith("called -Tpdf\n")
    assert dot._repr_svg_().startswith("called -Tsvg\n")


def test_what_graphviz_refuses_is_said(fake_dot, lecture):
    fake_dot.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('Format: \"x\" not recognized')\n")
    with pytest.raises(RuntimeError, match="draw_dot: dot failed: Format"):
        draw_dot(lecture["L"]).pipe("x")


def rectangles(svg):
    for each in ElementTree.fromstring(svg).iter():
        if each.tag.endswith("rect"):
            yield tuple(float(each.get(name)) for name in ("x", "y", "width", "height"))


@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
@pytest.mark.parametrize("seed", range(3))
def test_boxes_stand_apart_within_the_page(rankdir, seed):
    svg = _layout.svg(_picture.of_graph(read(tangle(25, seed)), 100), rankdir)
    found = list(rectangles(svg))
    width, height = (float(ElementTree.fromstring(svg).get(name)) for name in ("width", "height"))
    for index, (x, y, w, h) in enumerate(found):
        assert -0.1 <= x <= x + w <= width
        assert -0.1 <= y <= y + h <= height
        for u, v, s, t in found[:index]:
            assert x + w <= u + 0.2 or u + s <= x + 0.2 or y + h <= v + 0.2 or v + t <= y + 0.2


@pytest.mark.parametrize(("rankdir", "axis", "sign"), [("LR", 0, 1), ("RL", 0, -1), ("TB", 1, 1), ("BT", 1, -1)])
def test_arrows_lead_where_they_are_told_to(rankdir, axis, sign):
    first, *_, last = rectangles(_layout.svg(_picture.of_graph(read(leaf(1.0).tanh().exp()), 100), rankdir))
    assert sign * (last[axis] - first[axis]) > 0


# -- curves and decisions --------------------------------------------------------------------------------


def test_viz_imports_no_matplotlib():
    code = "import sys, minitorch_like.viz; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("draw", [viz.plot_losses, lambda points: viz.decision_boundary(lambda x: x, points)])
def test_without_matplotlib_the_extra_is_named(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs matplotlib: pip install 'minitorch-like\[plots\]'"):
        draw([[1.0, 2.0]])


def test_loss_curves():
    pytest.importorskip("matplotlib")
    axes = viz.plot_losses([3.0, torch.tensor(2.0), leaf(1.0)], log=True, xlabel="epoch")
    (line,) = axes.lines
    assert line.get_ydata().tolist() == [3.0, 2.0, 1.0]
    assert (axes.get_yscale(), axes.get_xlabel(), axes.get_legend()) == ("log", "epoch", None)
    both = viz.plot_losses({"one": [1.0], "other": [2.0, 1.0]}, ax=axes)
    assert both is axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "other"]


@pytest.mark.parametrize(
    "model",
    [
        lambda x: x[:, 0] - x[:, 1],
        lambda x: (x[:, 0] - x[:, 1]).unsqueeze(1),
        lambda x: torch.stack([x[:, 1], x[:, 0]], 1),
    ],
)
def test_decisions(model):
    pytest.importorskip("matplotlib")
    points = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    axes = viz.decision_boundary(model, points, [0, 1], resolution=4, margin=0.0)
    (image,) = axes.images
    x, y = np.meshgrid(np.arange(4), np.arange(4))
    assert image.get_array().tolist() == (x > y).astype(int).tolist()
    assert image.get_extent() == [0.0, 1.0, 0.0, 1.0]
    assert axes.collections[0].get_offsets().tolist() == points.tolist()


def test_points_outside_the_plane_are_refused():
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match=r"points must be of shape \(n, 2\), not \(2, 3\)"):
        viz.decision_boundary(lambda x: x, torch.ones(2, 3))
