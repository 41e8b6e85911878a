# tries: call itself, past what Python allows and past what it can hold
# expect: failed 1 or failed 134 or out of memory
# says: refused
import sys


def deeper(n):
    return deeper(n + 1)


try:
    deeper(0)
except RecursionError:
    print("refused")
sys.setrecursionlimit(10**9)
deeper(0)
