# tries: folders without end
# expect: output too large
# because: of 500 files
# limit: files 500
import os

index = 0
while True:
    os.mkdir(f"outputs/{index}")
    index += 1
