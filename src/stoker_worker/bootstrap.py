"""The command line that starts this package in a model's interpreter.

Called by the server: the process engine starts ``stoker_worker.main``, the builder
``stoker_worker.describe``. Uses nothing but the standard library, so that the server can import it.
"""

from pathlib import Path

_CODE = """\
import sys
sys.path[:] = [{folder!r}, *filter(None, sys.path)]
import stoker_worker
del sys.path[0]
from {entry} import main
sys.path.insert(0, '')
main()
"""


def command(python: Path, entry: str) -> list[str]:
    """The arguments that run ``entry``'s ``main()`` in the interpreter ``python``.

    The process must be started in the model's folder. ``sys.path[0]`` is ``''`` and ``sys.argv`` is
    ``['-c']`` when ``main`` begins, as Cog's own server has it. While the package itself is imported the
    model's folder is not on the path, so that a file of the model named like a standard module cannot break
    it; and the folder that holds the package (the server's ``site-packages``) is on the path only for the
    moment that the package's name needs to be found.
    """
    folder = str(Path(__file__).resolve().parent.parent)
    return [str(python), "-c", _CODE.format(folder=folder, entry=entry)]
