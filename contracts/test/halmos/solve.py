"""Answer an SMT-LIB query of halmos with the yices of its environment: `solve.py QUERY`.

Solidity checks each product with a division. In a proof these checks are assumptions (the product fitted), and they
take most of a solver's time. So the query is asked without them first: what follows from fewer assumptions follows
from all. Only where that proves nothing, the query is asked as it is.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

DIVISION = "f_evm_bvudiv"
PROVEN = "unsat"
YICES = [str(Path(sys.executable).parent / "yices-smt2"), "--smt2-model-format", "--bvconst-in-decimal"]


def expressions(query: str) -> list[str]:
    """Split a query into its top-level expressions; each ends with its line."""
    found, current, depth = [], "", 0
    for line in query.splitlines(keepends=True):
        current += line
        if not line.startswith(";"):
            depth += line.count("(") - line.count(")")
        if depth == 0:
            found.append(current)
            current = ""
    return found


def without_divisions(query: str) -> str:
    """Return the query without assumptions about divisions; the last assertion, the negated claim, stays."""
    found = expressions(query)
    asserted = [index for index, expression in enumerate(found) if expression.startswith("(assert")]
    dropped = {index for index in asserted[:-1] if DIVISION in found[index]}
    return "".join(expression for index, expression in enumerate(found) if index not in dropped)


def answer(query: str) -> str:
    """Return what yices prints."""
    with tempfile.NamedTemporaryFile("w", suffix=".smt2") as file:
        file.write(query)
        file.flush()
        return subprocess.run([*YICES, file.name], capture_output=True, text=True, check=False).stdout


def main(path: str) -> None:
    """Print the answer to the weaker query if that is a proof, else the answer to the whole one."""
    query = Path(path).read_text()
    first = answer(without_divisions(query))
    sys.stdout.write(first if first.startswith(PROVEN) else answer(query))


if __name__ == "__main__":
    main(*sys.argv[1:])
