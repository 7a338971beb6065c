"""By how much a process grows for each package that `usufruct serve` imports; of `make profile-gateway MEMORY=1`."""

import importlib
import os
import sys
from collections import Counter
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

SERVED = ("usufruct.app", "usufruct.cli", "usufruct.cli.support.servers")


def resident_kilobytes() -> int:
    """Return the resident memory of this process, in units of 1,024 bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") // 1024


def by_package(modules: tuple[str, ...]) -> Counter[str]:
    """Import modules; return by how many kilobytes this process grew for each package."""
    grown: Counter[str] = Counter()
    inside = [0]

    def counted(loader: type[Any]) -> None:
        run = loader.exec_module

        def exec_module(self: Any, module: ModuleType) -> None:
            before = resident_kilobytes()
            inside.append(0)
            run(self, module)
            whole = resident_kilobytes() - before
            grown[module.__name__.partition(".")[0]] += whole - inside.pop()
            inside[-1] += whole

        loader.exec_module = exec_module

    counted(SourceFileLoader)
    counted(ExtensionFileLoader)
    for module in modules:
        importlib.import_module(module)
    return grown


def main() -> None:
    """Print the packages that take most; the only argument is how many."""
    print(f"{resident_kilobytes() * 1.024e-3:7.1f} MB  Python")
    for package, kilobytes in by_package(SERVED).most_common(int(sys.argv[1])):
        print(f"{kilobytes * 1.024e-3:7.1f} MB  {package}")


if __name__ == "__main__":
    main()
