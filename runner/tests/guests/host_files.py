# Looks for the host.
import glob
import os

for path in [
    "/etc/passwd",
    "/etc/hostname",
    "/proc/self/environ",
    "/proc/1/cmdline",
    "/dev/null",
    "/root/.ssh",
    "/home",
    "../../../../etc/passwd",
    "/job/code/../../../etc/passwd",
    "/syftbox/../etc/passwd",
    "/tmp/../etc/passwd",
]:
    try:
        print(path, open(path).read())
    except OSError as error:
        print(path, type(error).__name__)
print(sorted(os.listdir("/")))
print(sorted(glob.glob("/job/*")))
