# Says that it runs, and runs.
import time

print("running")
time.sleep(100_000)
