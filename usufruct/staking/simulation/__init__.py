"""A simulation of the token economy: many actors, the contract's accounting, no chain."""

from usufruct.staking.simulation.assumptions import Assumptions
from usufruct.staking.simulation.pictures import draw_pictures
from usufruct.staking.simulation.report import Report, simulate

__all__ = ["Assumptions", "Report", "draw_pictures", "simulate"]
