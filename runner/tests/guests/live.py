# Speaks, then never ends: whoever hears it may end it.
print("I am here")
print("half a line", end="")
while True:
    pass
