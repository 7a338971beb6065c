"""How shareholders decide about their service: trusts that hold its title, and their proposals."""

from usufruct.governance.trusts.drafts import ServiceChange, plan_change
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
    "ServiceChange",
    "TitleTrusts",
    "TrustFacts",
    "TrustProposal",
    "TrustTerms",
    "configuration_entry",
    "plan_change",
]
