"""The operator's console in a browser: sell without code, see what a service earns, look after the installation."""

from usufruct.console.operators import Operators
from usufruct.console.sales import Sales

__all__ = ["Operators", "Sales"]
