# Makes files without end.
index = 0
while True:
    open(f"outputs/{index}", "w").close()
    index += 1
