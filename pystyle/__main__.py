"""`python -m pystyle`, for when the command `pystyle` is not on the path."""

import sys

from pystyle.cli import main

if __name__ == "__main__":
    sys.exit(main())
