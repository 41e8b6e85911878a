# tries: read the files of the machine
# expect: finished
# says: 16 refused
# hides: root:
import os

from attempts import attempt, over

for path in [
    "/etc/passwd",
    "/etc/shadow",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/dev/null",
    "/dev/mem",
    "/dev/fd/0",
    "/dev/fd/3",
    "/root/.ssh",
    "/home",
    "/var/log/syslog",
    "../../../../etc/passwd",
    "/job/code/../../../etc/passwd",
    "/syftbox/../etc/passwd",
    "/tmp/../etc/passwd",
]:
    attempt(path, lambda: open(path).read())
attempt("a handle of its own", lambda: os.open("../..", os.O_RDONLY, dir_fd=9))
over()
