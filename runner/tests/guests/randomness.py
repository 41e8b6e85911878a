# What must differ from run to run, and the time.
import os
import random
import time
import uuid

import numpy as np

print(random.random())
print(os.urandom(8).hex())
print(uuid.uuid4())
print(np.random.rand())
print(np.random.default_rng().random())
print(time.time())
