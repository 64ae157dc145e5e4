"""The gallery: every system runs, and one page tells all of it."""

import base64
import importlib
import re

import pytest

from examples import __main__ as command
from examples import gallery, scoreboard
from examples.gallery import Exhibit, exhibit, picture, render, systems
from parity_tests.check import Tally

PNG = bytes.fromhex("89504e470d0a1a0a")


def test_the_systems_in_their_order():
    assert systems() == ["gates", "expression_tree", "scalar_value", "layered_network", "framework"]


@pytest.mark.parametrize("system", systems())
def test_every_system_has_a_page_of_prose_and_reads_as_one(system):
    title, story = gallery._story(gallery.HERE / system / "README.md", system)
    module = importlib.import_module(f"examples.{system}.example")
    assert title == module.TITLE
    assert len(re.sub(r"<.*?>", "", story).split()) > 200
    assert callable(module.run)


def test_an_exhibit_of_gates():
    made = exhibit("gates", 10)
    assert made.ok, made.error
    assert made.published.keys() <= made.obtained.keys()
    assert all(svg.startswith("<svg") for svg, _ in made.figures)
    (verdict,) = made.verdicts
    assert (verdict.name, verdict.tally.cases, verdict.text) == ("gates", 20, "agrees with torch")
    page = render([made])
    assert "agrees with torch" in page
    assert "3.487488989" in page  # x at the top of the hill, published and obtained
    assert page.count("<svg") == len(made.figures)


def test_the_page_loads_nothing_from_anywhere():
    page = render([exhibit("gates", 0), exhibit("scalar_value", 0)])
    assert not re.search(r"<(link|script|iframe|img[^>]*src=\"(?!data:))", page)
    assert not re.search(r"(?:src|href|url\()\s*=?\s*[\"']?(?:https?:)?//", page)
    assert set(re.findall(r'href="(.*?)"', page)) == {"#gates", "#scalar_value"}


def test_text_is_escaped_and_pictures_are_not():
    figures = [("<svg><title>one</title></svg>", True)]
    verdict = scoreboard.Verdict("<b>", "add", Tally(), 0.0, reference="torch", differences=[("1 < 2", "print('<i>')")])
    page = render(
        [Exhibit("x", "a < b", "<p>prose</p>", {}, {"<n>": 1.0}, figures, ["f(x) < 1"], [verdict], 0.1, "<oops>")]
    )
    for text in (
        "a &lt; b",
        "&lt;n&gt;",
        "f(x) &lt; 1",
        "&lt;b&gt;",
        "&lt;oops&gt;",
        "1 &lt; 2",
        "print(&#39;&lt;i&gt;&#39;)",
    ):
        assert text in page
    assert '<figure class="wide"><svg><title>one</title></svg></figure>' in page
    assert "<p>prose</p>" in page


def test_pictures_in_files_are_taken_onto_the_page(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.svg").write_text('<?xml version="1.0"?>\n<svg width="3"></svg>')
    assert picture(tmp_path / "a.png") == f'<img alt="" src="data:image/png;base64,{base64.b64encode(PNG).decode()}">'
    assert picture(tmp_path / "b.svg") == '<svg width="3"></svg>'


def test_links_to_files_become_text_and_others_stay(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("# Title\n\nSee [`a.py`](a.py) and [there](https://example.org/).\n\n| a |\n|---|\n| b |\n")
    title, story = gallery._story(page, "x")
    assert title == "Title"
    assert "See <code>a.py</code> and" in story
    assert '<a href="https://example.org/">there</a>' in story
    assert "<table>" in story
    assert gallery._story(tmp_path / "missing.md", "x") == ("x", "")


def test_the_faulty_twin_is_found_out_and_its_honest_brother_is_not():
    honest, faulty = scoreboard.verdicts("scalar_value", 40)
    assert (honest.guilty, honest.differences, honest.as_expected) == (False, [], True)
    assert (faulty.guilty, faulty.text, faulty.as_expected) == (True, "2 faults found out", True)
    assert {message.partition(":")[0] for message, _ in faulty.differences} == {"exp", "relu"}
    assert all("import torch" in script or "minitorch_like" in script for _, script in faulty.differences)


@pytest.mark.parametrize(
    ("guilty", "differences", "expected"), [(False, 0, True), (False, 1, False), (True, 0, False), (True, 2, True)]
)
def test_what_is_expected_of_an_engine(guilty, differences, expected):
    verdict = scoreboard.Verdict("x", "", Tally(), 0.0, guilty, "", [("", "")] * differences)
    assert verdict.as_expected is expected
    assert Exhibit("x", "", "", verdicts=[verdict]).ok is expected


# -- the command -----------------------------------------------------------------------------------------


def test_the_command_writes_the_page(tmp_path, capsys):
    out = tmp_path / "made" / "page.html"
    assert command.main(["gates", "--cases", "0", "--out", str(out)]) == 0
    assert out.read_text().startswith("<!doctype html>")
    printed = capsys.readouterr().out
    assert re.search(r"ok +gates +\d+\.\d s", printed)
    assert str(out) in printed.replace("\n", "")


def test_an_example_that_breaks_is_shown_and_fails(tmp_path, capsys, monkeypatch):
    def broken():
        raise ArithmeticError("one and one is three")

    monkeypatch.setattr("examples.gates.example.run", broken)
    out = tmp_path / "page.html"
    assert command.main(["gates", "scalar_value", "--cases", "0", "--out", str(out)]) == 1
    printed = capsys.readouterr().out
    assert "FAILED gates" in printed
    assert "ok     scalar_value" in printed
    assert "ArithmeticError: one and one is three" in printed
    assert "ArithmeticError: one and one is three" in out.read_text()


def test_an_engine_that_parts_from_torch_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("examples.gates.units.MultiplyGate.slopes", lambda self, *inputs: inputs)
    assert command.main(["gates", "--cases", "20", "--out", str(tmp_path / "page.html")]) == 1
    assert "parts from torch" in capsys.readouterr().out


def test_an_unknown_system_is_refused(capsys):
    with pytest.raises(SystemExit) as refused:
        command.main(["transformer"])
    assert refused.value.code == 2
    assert "there is no system transformer; there are gates," in capsys.readouterr().err


def test_the_command_has_the_systems_in_its_help(capsys):
    with pytest.raises(SystemExit) as helped:
        command.main(["--help"])
    assert helped.value.code == 0
    assert "layered_network" in capsys.readouterr().out


def test_matplotlibs_figures_are_text():
    pytest.importorskip("matplotlib")
    from examples.figures import svg_of
    from minitorch_like.viz import plot_losses

    text = svg_of(plot_losses([1.0, 0.5]).figure)
    assert text.startswith("<svg")
    assert text.rstrip().endswith("</svg>")
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
