# tries: a hundred thousand folders in each other, deeper than any path can say
# expect: output too large
# limit: files 5000
# leaves: nothing
import os

folder = os.open("outputs", os.O_RDONLY)
for _ in range(100_000):
    os.mkdir("d", dir_fd=folder)
    deeper = os.open("d", os.O_RDONLY, dir_fd=folder)
    os.close(folder)
    folder = deeper
