"""How stakers decide about the platform: the governor on their scores, and the timelock that does what they decide."""

from usufruct.governance.governor import governor_creation, timelock_creation

__all__ = ["governor_creation", "timelock_creation"]
