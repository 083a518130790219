"""The SDK is imported without what it seldom needs, and a model cannot tell."""

from __future__ import annotations

import subprocess
import sys

import pytest

START = "from stoker_worker.sdk import cog\nimport sys\nassert 'requests' not in sys.modules\n"

PROGRAMS = {
    "nothing heavy is loaded": """
assert "urllib.request" not in sys.modules and "urllib3" not in sys.modules
""",
    "a submodule first": """
from requests.adapters import HTTPAdapter
import requests
assert requests.adapters.HTTPAdapter is HTTPAdapter is requests.sessions.HTTPAdapter
""",
    "exceptions are one class": """
import requests.exceptions
try:
    cog.File.validate("http://127.0.0.1:9/gone").read()
except requests.exceptions.ConnectionError:
    pass
assert cog.types.requests is requests
""",
    "urllib is whole": """
import urllib
path = cog.Path.validate("data:text/plain;base64,aGVsbG8=")
assert path.convert().read_text() == "hello"
path.unlink()
import urllib.request
assert cog.types.urllib is urllib and urllib.request.urlopen
""",
    "file names of URLs": """
from cog.types import get_filename
assert get_filename("https://example.org/a%20b.png?x=1") == "a b.png"
""",
    "imported twice": """
from stoker_worker import loading, sdk
loading.prepare_sdk()
assert sdk.prepare() is cog and cog.Input is sys.modules["cog.input"].Input
""",
    "the signature of Input is Cog's own": """
import inspect
assert list(inspect.signature(cog.Input).parameters)[:3] == ["default", "default_factory", "description"]
for wrong in ({"gt": 1}, {"default_factory": list}):
    try:
        cog.Input(**wrong)
    except TypeError:
        continue
    raise AssertionError(wrong)
""",
    "what marks an input does not show": """
assert cog.Input(default=1) == cog.FieldInfo(default=1)
assert repr(cog.Input(default=1)) == repr(cog.FieldInfo(default=1))
""",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_the_sdk_behaves_as_if_imported_plainly(program):
    done = subprocess.run([sys.executable, "-c", START + program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_modules_that_are_loaded_already_stay(tmp_path):
    program = "import requests\nfrom stoker_worker.sdk import cog\nassert cog.types.requests is requests\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
