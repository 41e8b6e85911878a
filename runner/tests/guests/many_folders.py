# Makes folders without end.
import os

index = 0
while True:
    os.mkdir(f"outputs/{index}")
    index += 1
