# tries: start something else
# expect: finished
# says: 9 refused
import multiprocessing
import os
import subprocess
import threading

from attempts import attempt, over


def system():
    if os.system("true") != 0:
        raise OSError("no shell")


attempt("run", lambda: subprocess.run(["/bin/true"], check=True))
attempt("system", system)
attempt("fork", lambda: os.fork())
attempt("execute", lambda: os.execv("/bin/true", ["true"]))
attempt("spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("kill", lambda: os.kill(os.getppid(), 9))
attempt("kill all", lambda: os.kill(-1, 9))
attempt("thread", lambda: threading.Thread(target=print).start())
attempt("pool", lambda: multiprocessing.Process(target=print).start())
over()
