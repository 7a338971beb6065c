"""What a caller is ready to spend on one call."""

from usufruct.core import UINT128_MAX, value
from usufruct.gateway.errors import InvalidRequest
from usufruct.payments.pricing import Allowance, OverBudget
from usufruct.web import Exchange

_HEADER = b"x-usufruct-limit"


@value
class Budget:
    """What a call may cost at most; `own_limit`: the caller set it for this very call, to cut the output to fit."""

    amount: int = UINT128_MAX
    own_limit: bool = False

    def check(self, allowance: Allowance) -> None:
        """Refuse what costs more.

        Raises:
            OverBudget: with the numbers.
        """
        if allowance.ceiling > self.amount:
            raise OverBudget(
                f"the call costs up to {allowance.ceiling}, and {self.amount} may be spent; raise x-usufruct-limit",
                needed=allowance.ceiling,
                budget=self.amount,
            )


def read_budget(exchange: Exchange) -> Budget:
    """Read the caller's own limit from the request's header.

    Raises:
        InvalidRequest: when it is not a whole number.
    """
    limit = exchange.header(_HEADER)
    if not limit:
        return Budget()
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 39):
        raise InvalidRequest("x-usufruct-limit must be a whole number of atomic units", field="x-usufruct-limit")
    return Budget(int(limit), own_limit=True)
