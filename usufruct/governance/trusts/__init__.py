"""How shareholders decide about their service: trusts that hold its title, and their proposals."""

from usufruct.governance.trusts.model import (
    CONFIGURATION,
    ENDPOINT,
    NotATrust,
    TrustFacts,
    TrustProposal,
    TrustTerms,
    configuration_entry,
)
from usufruct.governance.trusts.service import TitleTrusts

__all__ = [
    "CONFIGURATION",
    "ENDPOINT",
    "NotATrust",
    "TitleTrusts",
    "TrustFacts",
    "TrustProposal",
    "TrustTerms",
    "configuration_entry",
]
