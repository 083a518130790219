"""``python -m stoker`` is ``stoker``."""

from stoker.main.entry import main

main()
