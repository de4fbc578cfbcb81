"""`python -m statwit …`, and the command `statwit` of this package, run the statwit program."""

import os
import sys

from statwit import Unavailable, find_binary


def main():
    try:
        program = find_binary()
    except Unavailable as why:
        print("statwit: %s" % why, file=sys.stderr)
        sys.exit(3)
    os.execv(program, [program, *sys.argv[1:]])


if __name__ == "__main__":
    main()
