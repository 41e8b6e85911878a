# tries: look at the processes of the machine, its own first
# expect: finished
# says: 12 refused
from attempts import attempt, over

for path in [
    "/proc/self/environ",
    "/proc/self/cmdline",
    "/proc/self/maps",
    "/proc/self/mem",
    "/proc/self/fd/0",
    "/proc/self/root/etc/passwd",
    "/proc/self/cwd/etc/passwd",
    "/proc/1/environ",
    "/proc/net/tcp",
    "/proc/version",
    "/sys/kernel/mm",
    "/job/../proc/self/status",
]:
    attempt(path, lambda: open(path, "rb").read())
over()
