"""Time hmmlearn's fit of two states to the returns in a file: what a filter without an update has to do each day."""

import json
import sys
import time
import warnings

import numpy as np
from hmmlearn.hmm import GaussianHMM

returns = np.load(sys.argv[1]).reshape(-1, 1)
warnings.simplefilter("ignore")
times = []
for seed in range(int(sys.argv[2])):
    began = time.perf_counter()
    GaussianHMM(2, n_iter=100, random_state=seed).fit(returns)
    times.append((time.perf_counter() - began) * 1e6)
print(json.dumps({"times": times}))
