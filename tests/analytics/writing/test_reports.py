"""Reports in a model's words: each asked for once, shown for their own figures alone, kept by workers that die."""

from pathlib import Path

import pytest

from tests.support.fake_clock import FakeClock
from tests.support.scripted_model import MODEL, ScriptedModel
from usufruct.analytics.writing import ModelWriter, ReportFile, Words
from usufruct.analytics.writing.reports import write_reports
from usufruct.connectors.openai import UpstreamClient

FIGURES = ["Bitcoin costs $60,000.", "Ether costs $3,000.", "Solana costs $150."]


async def test_each_report_is_asked_for_once_and_ends_with_its_figures(tmp_path: Path):
    file, reader, clock = ReportFile(tmp_path / "words"), ReportFile(tmp_path / "words"), FakeClock()
    assert (reader.version, reader.of(FIGURES[0])) == ("", None)
    with ScriptedModel("It costs $3,000.") as model:
        async with UpstreamClient(model.base_url) as server:
            writer = ModelWriter(server, MODEL, clock)
            assert await write_reports(writer, file, FIGURES) == 1, "of the others the number is wrong"
            assert model.figures == FIGURES
            assert reader.of(FIGURES[1]) == Words(model.reply, MODEL)
            assert reader.of(FIGURES[0]) == Words("", MODEL)
            assert await write_reports(writer, file, FIGURES) == 1
            assert len(model.asked) == 3, "what may not be shown is not asked for again"
            another = ModelWriter(server, "another", clock)
            assert await write_reports(another, ReportFile(tmp_path / "again"), FIGURES[:1]) == 0
            assert await write_reports(writer, ReportFile(tmp_path / "again"), FIGURES[:1]) == 0
            assert [body["model"] for body in model.asked[3:]] == ["another", MODEL], "a corrected setting is tried"

            before, newer = reader.version, ["Bitcoin costs $61,000.", *FIGURES[1:]]
            assert await write_reports(writer, file, newer) == 1
            assert model.figures[5:] == newer[:1]
            assert reader.version != before
            assert [reader.of(each) for each in (*FIGURES[:1], "Ether costs $3,001.")] == [None, None]


async def test_it_goes_on_where_the_server_failed(tmp_path: Path):
    clock = FakeClock()
    with ScriptedModel("No number.", status=500) as model:
        async with UpstreamClient(model.base_url) as server:
            writer = ModelWriter(server, MODEL, clock)
            assert await write_reports(writer, ReportFile(tmp_path), FIGURES) == 0
            assert len(model.asked) == 1, "one failure is enough"
            model.status = 200
            clock.advance(30)
            assert await write_reports(writer, ReportFile(tmp_path), FIGURES) == 3
            assert model.figures == [FIGURES[0], *FIGURES]


@pytest.mark.parametrize("content", [b"", b"{"])
def test_a_file_that_is_not_whole_counts_as_none(tmp_path: Path, content: bytes):
    (tmp_path / "reports.json").write_bytes(content)
    file = ReportFile(tmp_path)
    assert (file.version, file.of(FIGURES[0])) == ("", None)
    file.add(FIGURES[0], Words("Words.", MODEL), FIGURES)
    assert ReportFile(tmp_path).of(FIGURES[0]) == Words("Words.", MODEL)
