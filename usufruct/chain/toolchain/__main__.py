"""Print where a tool is: `python -m usufruct.chain.toolchain forge`."""

import sys

from usufruct.chain.toolchain import ToolMissing, find


def main(arguments: list[str]) -> int:
    """Print the path of the one tool named; 1 when it is missing, 2 when called wrongly."""
    if len(arguments) != 1 or arguments[0] not in {"forge", "anvil"}:
        sys.stderr.write("usage: python -m usufruct.chain.toolchain forge|anvil\n")
        return 2
    try:
        sys.stdout.write(f"{find(arguments[0])}\n")
    except ToolMissing as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
