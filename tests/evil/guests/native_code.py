# tries: load and write native code
# expect: finished
# says: 4 refused
# with: file evil.so = not really
import mmap

from attempts import attempt, over


def load():
    import ctypes

    return ctypes.CDLL("/job/code/evil.so")


def extension():
    import importlib.machinery
    import importlib.util

    loader = importlib.machinery.ExtensionFileLoader("evil", "/job/code/evil.so")
    return importlib.util.module_from_spec(importlib.util.spec_from_loader("evil", loader))


def outside():
    import ctypes

    return ctypes.c_char.from_address(1 << 40).value


attempt("a library", load)
attempt("an extension", extension)
attempt("memory that isn't its own", outside)
attempt("memory to execute", lambda: mmap.mmap(-1, 4096, prot=4 | 2 | 1))
over()
