"""The style sheet's colour schemes differ in colours only, which the checks of pages rely on."""

import re
from pathlib import Path

from usufruct.web import ui

_STYLE = (Path(ui.__file__).parent / "static" / "style.css").read_text()


def test_the_dark_scheme_changes_colours_only():
    [dark] = re.findall(r"@media[^{]*prefers-color-scheme[^{]*\{(.*?)\n\}", _STYLE, re.DOTALL)
    [(selector, body)] = re.findall(r"^ *(\S+) \{(.*?)\}", dark, re.DOTALL | re.MULTILINE)
    assert selector == ":root"
    changed = dict(re.findall(r"(--[a-z]+): ([^;]+);", body))
    assert len(changed) == body.count(";") > 0
    assert {name for name, value in changed.items() if not re.fullmatch("#[0-9a-f]{6}", value)} == {"--shadow"}


def test_no_script_and_no_template_decides_by_the_colour_scheme():
    """The chart that a tap loads is a canvas: it draws again with the new colours, and decides nothing."""
    package = Path(ui.__file__).parents[2]
    files = [file for kind in ("js", "css", "html") for file in package.rglob(f"*.{kind}")]
    own = {file.name: file.read_text() for file in files if "third_party" not in file.parts}
    assert {name for name, text in own.items() if "color-scheme" in text} == {"chart.js", "style.css"}
    [line] = [line.strip() for line in own["chart.js"].splitlines() if "color-scheme" in line]
    assert line == 'matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());'
