"""What a caller is ready to spend on one call."""

from usufruct.core import UINT128_MAX, value
from usufruct.payments.pricing import Allowance, OverBudget


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
