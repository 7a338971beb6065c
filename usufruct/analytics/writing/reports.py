"""Reports in a model's words: written by the worker, each kept beside the digest of the figures that it is of.

So words are shown as long as the figures are the same to the letter, and never beside others.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import orjson

from usufruct.analytics.writing.writer import REPORT, ModelWriter, Words
from usufruct.core.files import replace_file

_FILE: Final = "reports.json"


def figures_digest(figures: str) -> str:
    """Return what names figures."""
    return hashlib.sha256(figures.encode()).hexdigest()


class ReportFile:
    """The file of reports by their figures' digest; it is read again when it was replaced."""

    def __init__(self, folder: Path) -> None:
        """Read and write in `folder`, which may not be there yet."""
        self._path = folder / _FILE
        self._mark = (0, 0)
        self._version = ""
        self._reports: dict[str, Words] = {}

    @property
    def version(self) -> str:
        """What differs whenever the reports do; empty without any."""
        self._look()
        return self._version

    def of(self, figures: str) -> Words | None:
        """Return the report of figures: without text where what the model wrote may not be shown, or None."""
        self._look()
        return self._reports.get(figures_digest(figures))

    def add(self, figures: str, words: Words, kept: Sequence[str]) -> None:
        """Write a report down, and forget those of figures that are not in `kept`."""
        self._look()
        digests = {figures_digest(each) for each in kept}
        reports = {digest: each for digest, each in self._reports.items() if digest in digests}
        reports[figures_digest(figures)] = words
        document = {digest: {"text": each.text, "model": each.model} for digest, each in reports.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._path, orjson.dumps(document))

    def _look(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return
        mark = found.st_ino, found.st_mtime_ns
        if mark != self._mark:
            self._mark = mark
            self._read()

    def _read(self) -> None:
        content = self._path.read_bytes()
        try:
            document: Mapping[str, Mapping[str, str]] = orjson.loads(content)
        except orjson.JSONDecodeError:  # not ours: reports are asked for again
            return
        self._reports = {digest: Words(each["text"], each["model"]) for digest, each in document.items()}
        self._version = hashlib.sha256(content).hexdigest()[:12]


async def write_reports(writer: ModelWriter, file: ReportFile, figures: Sequence[str]) -> int:
    """Have the reports written that this model has not written, in order; return how many may be shown.

    Ends at the first that the model's server failed to answer: the next run goes on there.
    """
    for each in figures:
        known = file.of(each)
        if known is not None and known.model == writer.model:
            continue
        words = await writer.write(REPORT, each)
        if words is None:
            break
        file.add(each, words, figures)
    return sum(bool((words := file.of(each)) and words.text) for each in figures)
