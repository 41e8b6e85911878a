# tries: end well, with outputs that are deeper than any path can say
# expect: output too large
# leaves: nothing
import os

folder = os.open("outputs", os.O_RDONLY)
for _ in range(1_500):
    os.mkdir("d" * 200, dir_fd=folder)
    deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
    os.close(folder)
    folder = deeper
