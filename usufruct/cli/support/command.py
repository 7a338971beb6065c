"""Make a command of a function: read its arguments, open what it needs, run it, print what it returns."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args

from typer import CallbackParam, Exit

from usufruct.chain import Client, open_node
from usufruct.cli.support.output import Json, print_facts, print_rows
from usufruct.cli.support.runner import run, run_blocking
from usufruct.config import Config, load_config
from usufruct.core import Address, Invalid, address

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST = 100 * 365 * 86_400


def _read_address(parameter: CallbackParam, text: str | None) -> Address | None:
    return address(text, parameter.opts[0]) if text else None


ADDRESS: dict[str, Any] = {"callback": _read_address, "metavar": "ADDRESS"}
"""Makes an argument or option an address, which is refused if mistyped before anything is opened.

`to: Annotated[Address, Argument(**ADDRESS, help="...")]`; an option is None where it was not given.
"""


def parse_duration(text: str, field: str) -> int:
    """Parse "30d", "12h", "45m" or "90s" into seconds, from one to those of a hundred years."""
    found = re.fullmatch(r"(\d{1,10})([smhd])", text, re.ASCII)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST:
        raise Invalid(
            f"{field} must be a length of time such as 30d, 12h or 45m, not {text!r}", code="invalid_duration"
        )
    return seconds


def split_part(text: str, field: str) -> tuple[str, str]:
    """Split WHO:PERCENT."""
    who, _, percent = text.rpartition(":")
    if not who or not percent:
        raise Invalid(f"{field} must be WHO:PERCENT, such as 0x...:12.5, not {text!r}", code="invalid_part")
    return who, percent


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
            raise Exit(1)
    elif found is not None:
        print_facts(found, as_json=as_json)


T = TypeVar("T")


def ask_node(config: Config, question: Callable[[Client], Awaitable[T]]) -> T:
    """Open the node, and return what it answers to `question`."""

    async def asked() -> T:
        async with open_node(config) as client:
            return await question(client)

    return run(asked)
