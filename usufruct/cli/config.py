"""Show the configuration: where each setting comes from, and its value."""

from typer import Typer

from usufruct.cli.support.output import Json, print_json, print_rows
from usufruct.config import load_config, setting_meanings, show_config

app = Typer()


@app.command()
def show(as_json: Json = False) -> None:
    """Print every setting and its value; secrets as ***."""
    shown, meanings = show_config(load_config()), setting_meanings()
    if as_json:
        print_json(shown)
        return
    rows = [
        {"setting": f"{section}.{name}", "value": value, "meaning": meanings[f"{section}.{name}"]}
        for section, settings in shown.items()
        for name, value in settings.items()
    ]
    print_rows(rows, ("setting", "value", "meaning"), "nothing is configured", as_json=False)
