"""``python -m dglm``: the command, where no script is installed."""

import sys

from dglm.command import main

if __name__ == "__main__":
    sys.exit(main())
