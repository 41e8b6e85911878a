# Writes what is no text, and what a terminal would obey.
import sys

sys.stdout.buffer.write(b"\xff\xfe\x00raw\n\x1b[31mred\x1b[0m\n")
sys.stdout.buffer.flush()
sys.stderr.write("\x1b]0;title\x07to the side\n")
