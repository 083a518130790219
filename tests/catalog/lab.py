"""Runs where torch is, for tests whose environment has none: calls come as lines of JSON, answers go.

``python tests/catalog/lab.py FOLDER MODULE`` has the model in FOLDER on its path and offers MODULE's
functions (a file beside this one). One process for all the tests of a model, since importing transformers
takes seconds.
"""

import importlib
import json
import os
import sys
import traceback


def main() -> None:
    folder, module = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not be taken for an answer
    sys.path.insert(0, folder)
    functions = importlib.import_module(module)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"value": getattr(functions, name)(**arguments)}
        except Exception:  # noqa: BLE001 - the test is told
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
