"""`python -m local`."""

import sys

if __name__ == "__main__":
    try:
        from local.cli import main

        sys.exit(main())
    except KeyboardInterrupt:  # before the first signal handler is there
        sys.exit(130)
