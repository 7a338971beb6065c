"""Make a command of a function: load the configuration, open what it needs, run it, print what it returns."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any, get_args

import typer

from usufruct.cli.support.output import Json, print_facts, print_rows
from usufruct.cli.support.runner import run, run_blocking
from usufruct.config import Config, load_config
from usufruct.core import Address

Facts = Mapping[str, object]
"""One thing that a command prints: a line for each fact, or one JSON object."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Several things that a command prints: a table of `columns`, or a JSON list; `nothing` where there are none.

    Without `columns`, each thing is printed as facts. `failed`: exit with code 1.
    """

    rows: Sequence[Facts]
    columns: Sequence[str] = ()
    nothing: str = ""
    failed: bool = False


_AS_JSON = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)

Opener = Callable[[Config], AbstractAsyncContextManager[Any]]


def runs(opens: Opener = nullcontext) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Make a command of a function, a coroutine's or not, that returns what to print: `Facts`, `Rows` or None.

    Its first parameter is what `opens` gives for the configuration; by default the configuration itself. Typer sees the
    others, and `--json`; the function gets `as_json` only if it names it.
    """

    def decorate(work: Callable[..., Any]) -> Callable[..., None]:
        _, *parameters = map(_for_typer, inspect.signature(work).parameters.values())
        takes_json = any(each.name == "as_json" for each in parameters)
        if not takes_json:
            parameters.append(_AS_JSON)

        def command(**options: Any) -> None:
            as_json = bool(options["as_json"] if takes_json else options.pop("as_json"))

            if not inspect.iscoroutinefunction(work):
                _print(run_blocking(lambda: work(load_config(), **options)), as_json=as_json)
                return

            async def opened() -> Facts | Rows | None:
                async with opens(load_config()) as resource:
                    found: Facts | Rows | None = await work(resource, **options)
                    return found

            _print(run(opened), as_json=as_json)

        command.__name__, command.__doc__ = work.__name__, work.__doc__
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return command

    return decorate


def _for_typer(parameter: inspect.Parameter) -> inspect.Parameter:
    """Return a parameter as typer takes it: an address is text, which its callback reads."""
    kind, *marks = get_args(parameter.annotation) or (parameter.annotation,)
    return parameter.replace(annotation=Annotated[(str, *marks)]) if kind is Address else parameter


def _print(found: Facts | Rows | None, *, as_json: bool) -> None:
    if isinstance(found, Rows):
        print_rows(found.rows, found.columns, found.nothing, as_json=as_json)
        if found.failed:
            raise typer.Exit(1)
    elif found is not None:
        print_facts(found, as_json=as_json)
