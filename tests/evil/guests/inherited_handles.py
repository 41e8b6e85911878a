# tries: use whatever handles it was born with as sockets and files
# expect: finished
# leaves: nothing
import os
import socket

for handle in range(3, 200):
    for use in [
        lambda: os.write(handle, b"x"),
        lambda: os.ftruncate(handle, 0),
        lambda: os.open("../../token.json", os.O_RDONLY, dir_fd=handle),
        lambda: os.open("/etc/passwd", os.O_RDONLY, dir_fd=handle),
        lambda: os.open("..", os.O_RDONLY, dir_fd=handle),
        lambda: socket.socket(fileno=handle).accept(),
    ]:
        try:
            use()
            print("GOTCHA", handle)
        except (OSError, AttributeError, ValueError, NotImplementedError):
            pass
