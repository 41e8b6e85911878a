# tries: catch everything that could end it, and go on
# expect: timed out
# limit: time 2
import atexit
import signal
import sys
import time

atexit.register(lambda: time.sleep(1000))
for number in (signal.SIGTERM, signal.SIGINT):
    try:
        signal.signal(number, lambda *_: None)
    except (OSError, ValueError):
        pass
while True:
    try:
        time.sleep(0.1)
        sys.exit()
    except BaseException:
        pass
