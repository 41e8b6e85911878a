# tries: close all that it was given, and go on
# expect: finished or failed 1 or failed 134
import os

for handle in range(200):
    try:
        os.close(handle)
    except OSError:
        pass
print("still here")
