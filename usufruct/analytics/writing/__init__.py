"""A model's words for the figures of markets: answers and reports, each with no number that the figures do not have."""

from usufruct.analytics.writing.reports import ReportFile
from usufruct.analytics.writing.serving import (
    Wording,
    build_report_jobs,
    build_wording,
    check_writer,
    wording_metrics,
    words_folder,
)
from usufruct.analytics.writing.writer import ModelWriter, Words

__all__ = [
    "ModelWriter",
    "ReportFile",
    "Wording",
    "Words",
    "build_report_jobs",
    "build_wording",
    "check_writer",
    "wording_metrics",
    "words_folder",
]
