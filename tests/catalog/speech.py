"""Speech for tests: said by espeak-ng, a program of Debian's (``.ci/run`` installs it)."""

import shutil
import subprocess
from pathlib import Path

SENTENCE = "The quick brown fox jumps over the lazy dog. Pack my box with five dozen liquor jugs."
LONG = " ".join(
    f"This is sentence number {number}, and the band plays on while the ships go by." for number in range(16)
)


def say(text: str, path: Path) -> Path:
    """A wav file of 22,050 samples a second."""
    assert shutil.which("espeak-ng"), "the tests need espeak-ng: apt-get install espeak-ng"
    subprocess.run(["espeak-ng", "-v", "en", "-w", path, text], check=True, timeout=60)
    return path
