"""The other end of ``library``: a script's functions, called by lines of JSON. Runs where torch is."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any


def answer(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Calls come in as ``[name, arguments]``, answers go out, until there are no more; ends the process."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(functions[name](**arguments)), file=answers, flush=True)
    os._exit(0)  # a thread of the library might wait for more
