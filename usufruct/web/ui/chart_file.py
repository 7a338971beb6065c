"""Charts as SVG files of their own, for reports and guides: light or dark as the reader's system is."""

from jinja2 import Environment, PackageLoader

from usufruct.web.ui.charts import Chart, Number

_TEMPLATES = Environment(loader=PackageLoader("usufruct.web.ui"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_THOUSANDS = ((10**9, "bn"), (10**6, "m"), (10**3, "k"))


def chart_file(title: str, note: str, chart: Chart) -> str:
    """Return a line or bar chart as the text of an SVG file; `note` says in a line what is measured."""
    template = _TEMPLATES.get_template("chart.svg")
    return template.render(title=title, note=note, chart=chart, write=short_number)


def short_number(value: Number) -> str:
    """Return a number as a chart's axis has it: 1,234,000 is 1.23m."""
    size = abs(float(value))
    for unit, letter in _THOUSANDS:
        if size >= unit:
            return f"{float(value) / unit:.3g}{letter}"
    return f"{float(value):.3g}"
