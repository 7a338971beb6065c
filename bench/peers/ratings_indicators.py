"""CPU seconds of pandas-ta-classic for the technical indicators of a trader grade, asset by asset.

`python ratings_indicators.py FOLDER` reads `close.npy` and `volume.npy` and prints {"seconds", "rsi"}.
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np

pd, ta = import_module("pandas"), import_module("pandas_ta_classic")  # only in the peer's folder
folder = Path(sys.argv[1])
close, volume = np.load(folder / "close.npy"), np.load(folder / "volume.npy")
index = pd.date_range("2020-01-01", periods=len(close))
began = time.process_time()
last = 0.0
for column in range(close.shape[1]):
    price, amount = pd.Series(close[:, column], index), pd.Series(volume[:, column], index)
    for length in (20, 50, 200):
        ta.sma(price, length=length)
    ta.stdev(ta.log_return(price), length=30)
    last = float(ta.rsi(price, length=14).iloc[-1])
    ta.macd(price)
    price.rolling(55).min()
    price.rolling(55).max()
    ta.obv(price, amount).diff(20)
print(json.dumps({"seconds": time.process_time() - began, "rsi": last}))
