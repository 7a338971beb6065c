"""What strangers wrote is printed without signs that steer a terminal, whatever function prints it."""

import pytest

from usufruct.cli.doctor import show_findings
from usufruct.cli.support.output import one_line, plain, print_facts, print_rows, say
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.runner import exit_with
from usufruct.core import Invalid
from usufruct.core.diagnostics import bad

EVIL = "a\x1b]0;title\x07\x1b[31mb\x9b2Jc\u202ed\u200be\u2066f[bold]g[/bold]"
TAME = "a]0;title[31mb2Jcdef[bold]g[/bold]"


def narrate(what):
    progress = Progress(to_stderr=False)
    progress.step(what)
    progress.say(what)
    progress.piece(what)
    with progress.working(what):
        pass
    progress.table(what, (what, "n"), [(what, what)])


def end(what):
    with pytest.raises(SystemExit):
        exit_with(Invalid(what))


@pytest.mark.parametrize(
    "write",
    [
        lambda what: print_facts({what: what, "list": [what], "inner": {what: what}}, as_json=False),
        lambda what: print_rows([{what: what}], (what,), "", as_json=False),
        lambda what: print_rows([], ("a",), what, as_json=False),
        say,
        narrate,
        end,
        lambda what: show_findings([bad(what, what, what)]),
    ],
    ids=["facts", "rows", "nothing", "say", "progress", "error", "doctor"],
)
def test_what_steers_a_terminal_is_not_printed(write, capsys):
    write(EVIL)
    out, err = capsys.readouterr()
    said = out + err
    assert TAME in said
    assert not set(said) & set("\x1b\x07\x9b\u202e\u200b\u2066")


def test_what_is_said_is_one_line(capsys):
    say("it calls itself USDC\nand is verified")
    assert capsys.readouterr().err == "it calls itself USDC and is verified\n"


def test_lines_and_tabs_stay_and_a_line_is_one_line():
    assert plain("a\tb\nc\rd") == "a\tb\ncd"
    assert one_line(" a\n\tb\x1b ") == "a b"
