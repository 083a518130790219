"""One model on its way here: its page, its versions without their code, its README and its examples.

All of it is read, and found to be what it should be, before the first word is written. What is here already
is left alone or brought up to date, so that an import may be repeated, and goes on where one ended.
"""

from typing import Any, NamedTuple

from stoker.cli.importing.files import FileCopies
from stoker.cli.importing.report import Report
from stoker.cli.importing.shapes import SourceModel, SourceRun, SourceVersion, body_of
from stoker.cli.importing.source import Source, SourceFailed
from stoker.cli.server.client import Api, Refused
from stoker.core.ids import is_version_id

FIELDS = ("description", "github_url", "paper_url", "license_url", "weights_url", "cover_image_url")
NEW_FIELDS = tuple(field for field in FIELDS if field != "weights_url")
"""What can be said when a model is created."""
EVERYTHING = 10**9
OLDEST_COG = "0.3.9"
"""For versions of which nothing is told: clients rewrite the schemas of any that is older."""
BARE_SCHEMA: dict[str, Any] = {"openapi": "3.0.2", "info": {"title": "Cog", "version": "0.1.0"}, "paths": {}}
"""What clients expect beside the components, where the source leaves it out."""


class Found(NamedTuple):
    """A model as the source has it."""

    model: SourceModel
    readme: str
    versions: list[SourceVersion]
    examples: list[SourceRun]
    """Oldest first, so that they are kept in the same order."""


def read(source: Source, ref: str) -> Found | None:
    """The whole model; None where the source has none of that name, or it is not ours to see."""
    path = f"/models/{ref}"
    model = source.find(path, SourceModel)
    if model is None:
        return None
    if model.ref.casefold() != ref.casefold():
        raise SourceFailed(f"{source.host}: GET {path}: the answer is about {model.ref[:100]!r}.")
    versions = _once([one for page in source.pages(f"{path}/versions", SourceVersion) for one in page])
    if model.latest_version and model.latest_version.id not in {version.id for version in versions}:
        versions.append(model.latest_version)
    examples = _once([one for page in source.pages(f"{path}/examples", SourceRun) for one in page])[::-1]
    if model.default_example and model.default_example.id not in {one.id for one in examples}:
        examples.append(model.default_example)
    return Found(model, source.text(f"{path}/readme"), versions, examples)


class ModelImport:
    """Writes models into the destination; ``public`` says what new ones are, None as at the source."""

    def __init__(self, source: Source, api: Api, report: Report, *, public: bool | None):
        self._source = source
        self._api = api
        self._report = report
        self._files = FileCopies(source, api, report)
        self._public = public

    def write(self, found: Found) -> None:
        ref, report = found.model.ref, self._report
        try:
            here = self._page(found)
        except Refused as error:
            if not error.is_of_this_alone:
                raise
            report.leave("model", ref, error.message)
            return
        self._versions(found, exists=here is not None)
        self._examples(found, here)

    def _page(self, found: Found) -> dict[str, Any] | None:
        """Makes the model, or brings its page up to date; the model as it was here, None where it is new."""
        ref = found.model.ref
        here = self._api.find(f"/models/{ref}")
        if here is not None and f"{here['owner']}/{here['name']}".casefold() != ref.casefold():
            here = None  # a stand-in answers for the name
        readme = self._api.text(f"/models/{ref}/readme") if here else ""
        fields = {name: value for name in FIELDS if (value := getattr(found.model, name))}
        wanted = {name: value for name, value in fields.items() if not here or here.get(name) != value}
        if found.readme and found.readme != readme:
            wanted["readme"] = found.readme
        if not self._report.dry:
            self._write_page(found.model, wanted, is_new=here is None)
        self._report.note("model", "new" if here is None else "changed" if wanted else "here")
        return here

    def _write_page(self, model: SourceModel, wanted: dict[str, Any], *, is_new: bool) -> None:
        if is_new:
            public = model.visibility == "public" if self._public is None else self._public
            first = {"owner": model.owner, "name": model.name, "hardware": self._hardware()}
            first["visibility"] = "public" if public else "private"
            self._api.post("/models", first | {k: v for k, v in wanted.items() if k in NEW_FIELDS})
            wanted = {k: v for k, v in wanted.items() if k not in NEW_FIELDS}
        if wanted:
            self._api.patch(f"/models/{model.ref}", wanted)

    def _versions(self, found: Found, *, exists: bool) -> None:
        path = f"/models/{found.model.ref}/versions"
        here = {one["id"] for one in self._api.pages(path, limit=EVERYTHING)} if exists else set[str]()
        for version in found.versions:
            if version.id in here:
                self._report.note("version", "here")
            elif not is_version_id(version.id) or version.openapi_schema is None:
                self._report.leave("version", version.id[:64], "the API tells neither its id nor its schema")
            else:
                body = {
                    "created_at": version.created_at,
                    "cog_version": version.cog_version or OLDEST_COG,
                    "openapi_schema": BARE_SCHEMA | version.openapi_schema,
                    "imported_from": self._source.base_url,
                }
                self._put("version", version.id, f"/stoker{path}/{version.id}", body)

    def _examples(self, found: Found, here: dict[str, Any] | None) -> None:
        path = f"/models/{found.model.ref}/examples"
        kept = {one["id"] for one in self._api.pages(path, limit=EVERYTHING)} if here else set[str]()
        chosen = found.model.default_example.id if found.model.default_example else None
        default_here = ((here or {}).get("default_example") or {}).get("id")
        for run in found.examples:
            if run.id in kept and (run.id != chosen or chosen == default_here):
                self._report.note("example", "here")
            elif not run.is_over or run.data_removed:
                self._report.leave("example", run.id, "it has no data at the source")
            else:
                body = body_of(run, model=found.model.ref) | {"default": run.id == chosen}
                if not self._report.dry and missing(self._api, [run]):
                    body = self._files.copy(body)
                self._put("example", run.id, f"/stoker{path}/{run.id}", body, is_new=run.id not in kept)

    def _put(self, kind: str, name: str, path: str, body: dict[str, Any], *, is_new: bool = True) -> None:
        try:
            if not self._report.dry:
                self._api.put(path, body)
            self._report.note(kind, "new" if is_new else "changed")
        except Refused as error:
            if not error.is_of_this_alone:
                raise
            self._report.leave(kind, name, error.message)

    def _hardware(self) -> str:
        """The API does not tell a model's hardware: the first that is offered here."""
        return str(self._api.get("/hardware")[0]["sku"])


def missing(api: Api, runs: list[SourceRun]) -> set[str]:
    """The ids of those that the account does not have here."""
    return set(api.post("/stoker/predictions/missing", {"ids": [run.id for run in runs]})["missing"])


def _once(items: list[Any]) -> list[Any]:
    """Each id once: lists of the source may grow while they are read."""
    return list({item.id: item for item in items}.values())
