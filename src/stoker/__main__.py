"""``python -m stoker`` is ``stoker``."""

from stoker.main.program import main

main()
