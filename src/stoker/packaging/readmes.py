"""Which README a model's page gets from a push. Asked by the builder before it keeps a version."""

from collections.abc import Iterable

from stoker.core.catalog import SourceFile
from stoker.ports.store import Store


async def new_readme(store: Store, model: str, files: Iterable[SourceFile]) -> SourceFile | None:
    """The README to show from now on: the pushed one, where the model has none or the push changed it.

    What people wrote into the model's page stays while the file stays as it was.
    """
    pushed = readme_of(files)
    owner, _, name = model.partition("/")
    known = await store.models.get(owner, name)
    if pushed is None or known is None:
        return None
    if known.readme and known.latest_version is not None:
        latest = await store.versions.get(known.latest_version, model=known.ref)
        before = readme_of(latest.source) if latest else None
        if before is not None and before.sha256 == pushed.sha256:
            return None
    return pushed


def readme_of(files: Iterable[SourceFile]) -> SourceFile | None:
    """The project's own README.md, in any case."""
    return next((file for file in files if file.path.lower() == "readme.md"), None)
