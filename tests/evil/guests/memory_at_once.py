# tries: take more memory than there is, in one step
# expect: out of memory
# limit: memory 512M
# says: MemoryError
import numpy as np

np.ones(1 << 27)
