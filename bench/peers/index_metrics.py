"""Print empyrical's measures of the returns in a file, with 365 days a year."""

import json
import sys

import empyrical
import numpy as np

returns = np.load(sys.argv[1])
year = {"annualization": 365}
print(
    json.dumps(
        {
            "total_return": float(empyrical.cum_returns_final(returns)),
            "annual_return": float(empyrical.annual_return(returns, **year)),
            "annual_volatility": float(empyrical.annual_volatility(returns, **year)),
            "sharpe": float(empyrical.sharpe_ratio(returns, **year)),
            "sortino": float(empyrical.sortino_ratio(returns, **year)),
            "downside_risk": float(empyrical.downside_risk(returns, **year)),
            "max_drawdown": float(empyrical.max_drawdown(returns)),
            "calmar": float(empyrical.calmar_ratio(returns, **year)),
            "value_at_risk": float(empyrical.value_at_risk(returns)),
            "conditional_value_at_risk": float(empyrical.conditional_value_at_risk(returns)),
            "tail_ratio": float(empyrical.tail_ratio(returns)),
        }
    )
)
