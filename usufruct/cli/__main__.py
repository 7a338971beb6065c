"""`python -m usufruct.cli`: the same as the `usufruct` command."""

from usufruct.cli.root import main

main()
