# tries: hide what it wrote where it is too deep to be counted
# expect: output too large
# leaves: nothing
# limit: output 20M
import os

folder = os.open("/tmp", os.O_RDONLY)
for _ in range(1_500):
    os.mkdir("d" * 200, dir_fd=folder)
    deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
    os.close(folder)
    folder = deeper
index = 0
while True:
    file = os.open(str(index), os.O_CREAT | os.O_WRONLY, dir_fd=folder)
    os.write(file, bytes(1 << 20))
    os.close(file)
    index += 1
