# What must differ from run to run, and the time.
import os
import random
import secrets
import tempfile
import time
import uuid

import numpy as np
import pandas as pd
import scipy.stats
import sklearn.utils
from sklearn.model_selection import train_test_split

print(random.random())
print(random.Random().random())
print(os.urandom(8).hex())
print(secrets.token_hex(8))
print(uuid.uuid4())
print(tempfile.mktemp())
print(np.random.rand())
print(np.random.default_rng().random())
print(np.random.RandomState().rand())
print(pd.Series(range(100_000)).sample(3).tolist())
print(scipy.stats.norm.rvs(size=2))
print(sklearn.utils.check_random_state(None).rand())
print(train_test_split(range(100_000), test_size=3)[1])
print(time.time())
