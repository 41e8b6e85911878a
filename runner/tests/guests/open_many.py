# Holds more files open than a process may.
held = []
try:
    while True:
        held.append(open("outputs/same", "w"))
except OSError as error:
    print("refused", len(held) > 100)
