"""The scoreboard as one self-contained HTML page."""

from __future__ import annotations

from importlib.resources import files

from markupsafe import Markup, escape

from parity_tests.report.summary import (
    FAILING,
    Scoreboard,
    complaints,
    failing,
    failures,
    lacking,
    percent,
    totals,
)


def _code(text: str) -> Markup:
    """What stands between backquotes, as code."""
    pieces = [escape(piece) for piece in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if i % 2 else piece for i, piece in enumerate(pieces)
    )


def render(scoreboard: Scoreboard) -> str:
    """The page's text; it loads nothing from anywhere."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["thousands"] = "{:,}".format
    environment.filters["code"] = _code
    template = environment.from_string(files(__package__).joinpath("page.html.j2").read_text())
    return template.render(
        board=scoreboard,
        total=totals(scoreboard["suites"]),
        complaints=complaints(scoreboard),
        failures=list(failures(scoreboard)),
        failing=failing,
        lacking=lacking(scoreboard["suites"]),
        failing_names=FAILING,
        percent=percent,
    )
