"""`usufruct demo`: the main job, end to end, on a chain of our own; every figure at the end comes from its logs."""

from usufruct.cli.demo.outcome import DEPOSIT, OWNERS, DemoFailed, Outcome
from usufruct.cli.demo.setup import run_demo

__all__ = ["DEPOSIT", "OWNERS", "DemoFailed", "Outcome", "run_demo"]
