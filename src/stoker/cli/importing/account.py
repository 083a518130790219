"""The team's own: predictions, trainings, the models that they name, deployments, the webhook secret.

In this order: a prediction that is also an example is in the account's history first, and a deployment finds
its model here. The API lists no private models; those are found that deployments and runs name.
"""

from typing import Any, NamedTuple

from stoker.cli.importing import models
from stoker.cli.importing.files import FileCopies
from stoker.cli.importing.models import ModelImport
from stoker.cli.importing.report import Report
from stoker.cli.importing.shapes import (
    SourceAccount,
    SourceDeployment,
    SourceModel,
    SourceRelease,
    SourceRun,
    SourceSecret,
    body_of,
)
from stoker.cli.importing.source import Source
from stoker.cli.server.client import Api, Refused
from stoker.cli.terminal.screen import Screen

MOST_MODEL_PAGES = 40
"""Of the list of models: Replicate's own has tens of thousands of other people's."""
RUNNING = "it is not over at the source; import again when it is"


class Here(NamedTuple):
    """The destination: whose token it is, for whom that may speak, and what hardware there is."""

    account: str
    accounts: set[str]
    skus: list[str]


class AccountImport:
    def __init__(self, source: Source, api: Api, report: Report, *, screen: Screen, model: ModelImport):
        self._source = source
        self._api = api
        self._report = report
        self._screen = screen
        self._model = model
        self._files = FileCopies(source, api, report)

    def run(self) -> None:
        account = self._source.get("/account", SourceAccount).username
        here = self._here()
        self._screen.phase(f"Copying the account {account} of {self._source.host}")
        refs = self._history("prediction") | self._history("training")
        refs = {ref for ref in refs if _is_of(ref, account)} | self._listed(account)
        deployments = [d for page in self._source.pages("/deployments", SourceDeployment) for d in page]
        refs |= {one.current_release.model for one in deployments if one.current_release}
        for ref in sorted(refs, key=str.casefold):
            self.copy_model(ref)
        for deployment in deployments:
            self._deployment(deployment, here)
        self._secret(here)

    def copy_model(self, ref: str) -> None:
        """The model with all that is its own."""
        self._screen.phase(f"Copying {ref}")
        found = models.read(self._source, ref)
        if found is None:
            self._report.leave("model", ref, "the source has none of that name, or not for this token")
        else:
            self._model.write(found)

    def _here(self) -> Here:
        own = self._api.get("/account")["username"]
        known = self._api.pages("/stoker/accounts", limit=1000)
        # The operator's token is shown everybody's, and speaks for its own alone.
        accounts = {one["username"] for one in known if one["role"]}
        return Here(own, accounts, [one["sku"] for one in self._api.get("/hardware")])

    def _listed(self, account: str) -> set[str]:
        """The account's models that the source lists."""
        self._screen.phase(f"Looking for models of {account}")
        pages = self._source.pages("/models", SourceModel, most=MOST_MODEL_PAGES)
        return {model.ref for page in pages for model in page if _is_of(model.ref, account)}

    def _history(self, kind: str) -> set[str]:
        """Copies the runs of one kind; the models that they name."""
        refs: set[str] = set()
        self._screen.phase(f"Copying {kind}s")
        for page in self._source.pages(f"/{kind}s", SourceRun):
            missing = models.missing(self._api, page)
            refs |= {run.model for run in page if run.model}
            for run in page:
                if run.id in missing:
                    self._copy_run(kind, run)
                else:
                    self._report.note(kind, "here")
        return refs

    def _copy_run(self, kind: str, run: SourceRun) -> None:
        if not run.is_over:
            self._report.leave(kind, run.id, RUNNING)
            return
        try:
            if not self._report.dry:
                self._api.put(f"/stoker/{kind}s/{run.id}", self._files.copy(body_of(self._whole(kind, run))))
            self._report.note(kind, "new")
        except Refused as error:
            if not error.is_of_this_alone:
                raise
            self._report.leave(kind, run.id, error.message)

    def _whole(self, kind: str, run: SourceRun) -> SourceRun:
        """With its logs, which lists leave out; there are none where the data was removed."""
        if run.data_removed:
            return run
        return self._source.find(f"/{kind}s/{run.id}", SourceRun) or run

    def _deployment(self, deployment: SourceDeployment, here: Here) -> None:
        owner = deployment.owner.lower() if deployment.owner.lower() in here.accounts else here.account
        name, release = f"{owner}/{deployment.name}", deployment.current_release
        if release is None:
            self._report.leave("deployment", name, "it has no release")
            return
        try:
            before = self._api.find(f"/deployments/{name}")
            self._release(name, release, before, here)
        except Refused as error:
            if not error.is_of_this_alone:
                raise
            self._report.leave("deployment", name, error.message)

    def _release(self, name: str, release: SourceRelease, before: Any, here: Here) -> None:
        scale = release.configuration
        wanted: dict[str, Any] = {"model": release.model, "version": release.version}
        wanted |= {"min_instances": scale.min_instances, "max_instances": scale.max_instances}
        if scale.hardware in here.skus:
            wanted["hardware"] = scale.hardware
        elif before is None:
            wanted["hardware"] = here.skus[0]
            self._screen.line(f"{name}: there is no {scale.hardware} here; it gets {here.skus[0]}.")
        if before is None:
            if not self._report.dry:
                self._api.post("/deployments", {"name": name} | wanted)
            self._report.note("deployment", "new")
            return
        after = before if self._report.dry else self._api.patch(f"/deployments/{name}", wanted)
        is_same = after["current_release"]["number"] == before["current_release"]["number"]
        self._report.note("deployment", "here" if is_same else "changed")

    def _secret(self, here: Here) -> None:
        """What webhooks are signed with: their receivers go on as they are."""
        path, kind = "/webhooks/default/secret", "webhook secret"
        found = self._source.find(path, SourceSecret, absent=(403, 404))
        if found is None:
            self._report.leave(kind, self._source.host, "the source does not tell it to this token")
        elif self._api.get(path)["key"] == found.key:
            self._report.note(kind, "here")
        else:
            if not self._report.dry:
                self._api.put(f"/stoker/accounts/{here.account}/webhook-secret", {"key": found.key})
            self._report.note(kind, "changed")


def _is_of(ref: str, account: str) -> bool:
    return ref.partition("/")[0].casefold() == account.casefold()
