# tries: bring the process down from within
# expect: failed 134
# because: crashed
import os

os.abort()
