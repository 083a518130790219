"""Files in, one by one, in a list and as an open file; gives back what they are."""

import hashlib
from pathlib import PurePath
from typing import Any, Optional

from cog import BaseRunner, File, Input, Path


def described(path: Path) -> dict[str, Any]:
    data = Path(path).read_bytes()
    return {
        "is_path": isinstance(path, Path),
        "suffix": PurePath(path).suffix,
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


class Runner(BaseRunner):
    def run(
        self,
        one: Optional[Path] = Input(default=None, accept="image/*"),
        more: Optional[list[Path]] = None,
        opened: Optional[File] = None,
    ) -> dict:
        return {
            "one": described(one) if one is not None else None,
            "more": [described(path) for path in more or []],
            "opened": opened.read().decode() if opened is not None else None,
        }
