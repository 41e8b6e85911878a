# Everything that it is told without asking.
import os

for name, value in sorted(os.environ.items()):
    print(name, value)
