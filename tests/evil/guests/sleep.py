# tries: wait forever
# expect: timed out
# limit: time 1
import time

time.sleep(100_000)
