"""A model's words in a configured installation: for its gateways, by its worker, and what `doctor` says of them."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from usufruct.analytics.folder_turn import FolderTurn
from usufruct.analytics.writing.reports import ReportFile, write_reports
from usufruct.analytics.writing.writer import ANSWER, LONGEST_QUESTION, ModelWriter, Words
from usufruct.config import Config, InvalidSetting
from usufruct.connectors.openai import InvalidUpstream, Limits, UpstreamClient
from usufruct.core import Clock
from usufruct.core.components import Context
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.core.jobs import Job

_REPORT_SECONDS: Final = 60.0


class Wording:
    """What a model words: answers when they are asked for, and the reports that the worker had written."""

    def __init__(self, writer: ModelWriter | None = None, reports: ReportFile | None = None) -> None:
        """Word nothing that is not given."""
        self.writer = writer
        self._reports = reports

    @property
    def version(self) -> str:
        """What differs whenever a report does."""
        return self._reports.version if self._reports else ""

    async def answer(self, question: str, figures: str) -> Words | None:
        """Return an answer from figures; None where their own sentences are to be shown."""
        if self.writer is None or len(question) > LONGEST_QUESTION:
            return None
        return _shown(await self.writer.write(ANSWER, figures, question))

    def report(self, figures: str) -> Words | None:
        """Return the report of figures; None where their own sentences are all there is."""
        return _shown(self._reports.of(figures)) if self._reports else None


def _shown(words: Words | None) -> Words | None:
    return words if words and words.text else None


def words_folder(config: Config) -> Path:
    """Return where written reports are; gateways on other machines need the same folder."""
    return config.data.folder / "words"


def build_wording(context: Context) -> Wording:
    """Return what a process words; nothing where no model is configured.

    Raises:
        InvalidSetting: for an address that is none, or without the name of a model.
    """
    settings = context.get(Config).markets
    if not settings.writer_url:
        return Wording()
    if not settings.writer_model:
        raise InvalidSetting(
            "markets.writer_model is empty: set it to the name of a model that markets.writer_url offers",
            key="markets.writer_model",
        )
    try:
        server = UpstreamClient(
            settings.writer_url,
            settings.writer_key.reveal(),
            Limits(total=settings.writer_seconds, answer_bytes=1 << 20),
        )
    except InvalidUpstream as error:
        raise InvalidSetting(f"markets.writer_url: {error.message}", key="markets.writer_url") from error
    context.closing.push_async_callback(server.close)
    writer = ModelWriter(server, settings.writer_model, context.get(Clock))
    return Wording(writer, ReportFile(words_folder(context.get(Config))))


def build_report_jobs(context: Context, figures: Callable[[int], Sequence[str]]) -> list[Job]:
    """Return the worker's job; none where no report is to be worded. `figures` returns those of so many assets."""
    config, writer = context.get(Config), context.get(Wording).writer
    most = config.markets.writer_reports
    if writer is None or not most:
        return []
    folder = words_folder(config)
    file, turn = ReportFile(folder), FolderTurn(folder)

    async def step() -> None:
        if turn.take():
            await write_reports(writer, file, figures(most))

    async def close() -> None:
        turn.give_back()

    return [Job("written-reports", step, _REPORT_SECONDS, close=close)]


def wording_metrics(wording: Wording) -> list[Metric]:
    """Return how often the model was asked, and what came of it; nothing without one."""
    writer = wording.writer
    if writer is None:
        return []
    family = CounterMetricFamily("usufruct_market_words", "Texts asked of the model, by what came.", labels=["end"])
    for end, count in writer.ends.items():
        family.add_metric([end], count)
    return [family]


async def check_writer(context: Context) -> AsyncIterator[Finding]:
    """Check that the model can be asked, where one is configured."""
    try:
        writer = context.get(Wording).writer
    except InvalidSetting as error:
        yield bad("market words", error.message, "correct the setting")
        return
    if writer is None:
        return
    if missing := await writer.missing():
        remedy = "look at markets.writer_url, writer_key and writer_model; until then fixed sentences are shown"
        yield bad("market words", f"{writer.model} cannot be asked: {missing}", remedy)
    else:
        yield good("market words", f"{writer.model} is offered")
