"""`python -m usufruct.cli`: the same as the `usufruct` command."""

from usufruct.cli.entry import main

main()
