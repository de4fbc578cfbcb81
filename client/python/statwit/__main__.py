"""`python -m statwit …` runs the statwit program."""

import os
import sys

from statwit import Unavailable, find_binary

try:
    program = find_binary()
except Unavailable as why:
    sys.exit("statwit: %s" % why)
os.execv(program, [program, *sys.argv[1:]])
