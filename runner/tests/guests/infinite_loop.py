# Computes forever.
while True:
    pass
