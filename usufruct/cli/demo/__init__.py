"""`usufruct demo`: the main job, end to end, on a chain of our own; every figure at the end comes from its logs."""

from usufruct.cli.demo.opening import run_demo
from usufruct.cli.demo.outcome import DEPOSIT, OWNERS, DemoFailed, Outcome

__all__ = ["DEPOSIT", "OWNERS", "DemoFailed", "Outcome", "run_demo"]
