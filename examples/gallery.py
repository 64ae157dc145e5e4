"""The gallery: every system's story, numbers, pictures and verdict on one page that loads nothing from anywhere."""

from __future__ import annotations

import base64
import importlib
import re
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .scoreboard import Verdict, verdicts

HERE = Path(__file__).parent
_HALF_A_PAGE = 640
# In the order in which they build on one another; whatever else has an example.py follows.
ORDER = ("gates", "expression_tree", "scalar_value", "layered_network", "framework")


@dataclass(slots=True)
class Exhibit:
    """One system, after it has run.

    story:    its README as HTML.
    published, obtained: numbers by what they are of; the former are among the latter.
    figures:  as HTML, and whether each wants the width of the page.
    error:    the traceback of an example that broke; '' if none did.
    """

    name: str
    title: str
    story: str
    published: Mapping[str, float] = field(default_factory=dict)
    obtained: Mapping[str, float] = field(default_factory=dict)
    figures: Sequence[tuple[str, bool]] = ()
    formulas: Sequence[str] = ()
    verdicts: Sequence[Verdict] = ()
    seconds: float = 0.0
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error and all(each.as_expected for each in self.verdicts)


def systems() -> list[str]:
    """The folders that have an example.py."""
    found = sorted(path.parent.name for path in HERE.glob("*/example.py"))
    return sorted(found, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def exhibit(name: str, cases: int) -> Exhibit:
    """Run a system, and hold its backends against torch on so many graphs of each kind (none: 0)."""
    title, story = _story(HERE / name / "README.md", name)
    made = Exhibit(name, title, story)
    start = time.perf_counter()
    try:
        result: dict[str, Any] = importlib.import_module(f"{__package__}.{name}.example").run()
        made.title = result["title"]
        made.published, made.obtained = result["published"], result["obtained"]
        figures = map(picture, result["figures"])
        made.figures = [(each, _is_wide(each)) for each in figures]
        made.formulas = result.get("formulas", [])
        made.seconds = time.perf_counter() - start
        made.verdicts = list(verdicts(name, cases)) if cases else []
    except Exception:  # noqa: BLE001  the page shows what broke, and shows the other systems
        made.error = traceback.format_exc()
    return made


def render(exhibits: Sequence[Exhibit]) -> str:
    """The page's text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "thousands": "{:,}".format}
    return environment.get_template("gallery.html.j2").render(exhibits=exhibits)


def number(value: float) -> str:
    """As many digits as tell numbers apart, and no longer than that."""
    return f"{value:.10g}"


def picture(figure: str | Path) -> str:
    """A figure, SVG text or a file, as HTML."""
    if isinstance(figure, Path):
        if figure.suffix != ".svg":
            data = base64.b64encode(figure.read_bytes()).decode()
            return f'<img alt="" src="data:image/{figure.suffix[1:]};base64,{data}">'
        figure = figure.read_text()
    return figure[figure.index("<svg") :]


def _is_wide(figure: str) -> bool:
    width = re.match(r'<svg[^>]*\bwidth="(\d+)', figure)
    return width is not None and int(width[1]) > _HALF_A_PAGE


def _story(readme: Path, name: str) -> tuple[str, str]:
    """The title of a page of Markdown, and the rest of it as HTML; links to files beside it become plain text."""
    from markdown_it import MarkdownIt

    if not readme.exists():
        return name, ""
    heading, _, rest = readme.read_text().partition("\n")
    html: str = MarkdownIt("commonmark").enable("table").render(rest)
    return heading.lstrip("# "), re.sub(r'<a href="(?!https?:)[^"]*">(.*?)</a>', r"\1", html, flags=re.DOTALL)
