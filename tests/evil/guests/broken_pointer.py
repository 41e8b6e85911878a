# tries: write where no memory is
# expect: failed 134 or failed 1
import ctypes

ctypes.memset(0xFFFF_FFF0, 0, 1 << 20)
