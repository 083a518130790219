"""The program's first lines, for the script ``stoker`` and ``python -m stoker``.

It imports nothing by itself: Ctrl-C while the rest is being imported ends it as at any other time. What the
program does is in ``entry``.
"""

import sys

INTERRUPTED = 130


def main() -> None:
    """Runs the command that the process was started with."""
    try:
        from stoker.main import entry

        entry.main()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)
