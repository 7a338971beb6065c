"""Random values of the contract ABI's types."""

from typing import Any

from hypothesis import strategies as st


def values(kind: str) -> st.SearchStrategy[Any]:
    """Random values of an ABI type, as eth-abi takes and gives them."""
    if kind.endswith("]"):
        inner, _, size = kind[:-1].rpartition("[")
        bounds = {"min_size": int(size), "max_size": int(size)} if size else {"max_size": 3}
        return st.lists(values(inner), **bounds).map(tuple)
    if kind.startswith("("):
        return st.tuples(*map(values, split(kind[1:-1])))
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    if kind.startswith("int"):
        return st.integers(-(2 ** (int(kind[3:]) - 1)), 2 ** (int(kind[3:]) - 1) - 1)
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
    if kind == "bytes":
        return st.binary(max_size=70)
    if kind.startswith("bytes"):
        return st.binary(min_size=int(kind[5:]), max_size=int(kind[5:]))
    return st.booleans() if kind == "bool" else st.text(max_size=40)


def split(types: str) -> list[str]:
    """Split "a,(b,c)[],d" at its outer commas."""
    parts, depth = [""], 0
    for character in types:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part]
