"""Every path of the API and who answers it. The busiest come first: routes are tried in order."""

from starlette.routing import Route

from stoker.api.endpoint import Access, Endpoint, Handler
from stoker.api.openai import routes as openai
from stoker.api.resources import (
    account,
    accounts,
    aliases,
    builds,
    checkpoints,
    collections,
    delivery,
    deployments,
    document,
    examples,
    files,
    hardware,
    health,
    imports,
    members,
    models,
    predictions,
    removal,
    search,
    sources,
    streams,
    tokens,
    trainings,
    versions,
    waits,
)
from stoker.api.services import Services
from stoker.core.permissions import Action


def routes(services: Services) -> list[Route]:
    """The route table. ``endpoint.Access`` says what its fields mean."""

    def path(
        path: str,
        *,
        open: bool = False,
        reads: Action = "see",
        writes: Action = "change",
        creates: bool = False,
        polled: bool = False,
        **handlers: Handler,
    ) -> Route:
        access = Access(
            open=open,
            reads=reads,
            writes=writes,
            creates=creates,
            polled=polled,
            tells_limits=not path.startswith("/files"),
        )
        return Route(path, Endpoint(services, handlers, access))

    model = "/models/{owner}/{name}"
    deployment = "/deployments/{owner}/{name}"
    return [
        path("/predictions", writes="run", creates=True, GET=predictions.list_, POST=predictions.create),
        path("/predictions/{id}", polled=True, GET=predictions.get),
        path(f"{model}/predictions", writes="run", creates=True, POST=predictions.create_for_model),
        path(f"{deployment}/predictions", writes="run", creates=True, POST=predictions.create_for_deployment),
        path("/predictions/{id}/cancel", writes="run", POST=predictions.cancel),
        path("/streams/{key}", open=True, GET=streams.text, OPTIONS=streams.preflight),
        path("/files/stream-{key}", open=True, GET=streams.files, OPTIONS=streams.preflight),
        path("/delivery/{id}/{pass}/{name}", open=True, GET=delivery.get, OPTIONS=delivery.preflight),
        path("/files", writes="run", GET=files.list_, POST=files.create),
        path("/files/{id}", writes="run", GET=files.get, DELETE=files.delete),
        path("/files/{id}/download", open=True, GET=files.download),
        path("/models", GET=models.list_, POST=models.create, QUERY=search.models),
        path(model, GET=models.get, PATCH=models.update, DELETE=models.delete),
        path(f"{model}/readme", GET=models.readme),
        path(f"{model}/examples", GET=examples.list_),
        path(f"{model}/versions", GET=versions.list_),
        path(f"{model}/versions/{{id}}", GET=versions.get, DELETE=versions.delete),
        path("/deployments", GET=deployments.list_, POST=deployments.create),
        path(deployment, GET=deployments.get, PATCH=deployments.update, DELETE=deployments.delete),
        path(f"{model}/versions/{{id}}/trainings", writes="run", creates=True, POST=trainings.create),
        path("/trainings", GET=trainings.list_),
        path("/trainings/{id}", GET=trainings.get),
        path("/trainings/{id}/cancel", writes="run", POST=trainings.cancel),
        path("/collections", GET=collections.list_),
        path("/collections/{slug}", GET=collections.get),
        path("/search", GET=search.everything),
        path("/account", GET=account.get),
        path("/hardware", GET=hardware.list_),
        path("/webhooks/default/secret", reads="run", GET=account.webhook_secret),
        path("/stoker/blobs/missing", POST=sources.missing),
        path("/stoker/blobs/{sha256}", PUT=sources.put),
        path("/stoker/builds", POST=builds.create),
        path("/stoker/builds/{id}", GET=builds.get),
        path("/stoker/builds/{id}/events", GET=builds.events),
        path("/stoker/checkpoints", reads="administer", GET=checkpoints.list_, POST=checkpoints.create),
        path("/stoker/checkpoints/{id}", reads="administer", GET=checkpoints.get),
        path("/stoker/fetches/{id}", reads="administer", GET=checkpoints.get_fetch),
        path("/stoker/fetches/{id}/events", reads="administer", GET=checkpoints.events),
        path("/stoker/collections", POST=collections.create),
        path("/stoker/collections/{slug}", PATCH=collections.update, DELETE=collections.delete),
        path(
            "/stoker/collections/{slug}/models/{owner}/{name}",
            PUT=collections.add_model,
            DELETE=collections.remove_model,
        ),
        path(f"/stoker{model}", DELETE=removal.delete),
        path(f"/stoker{model}/examples", POST=examples.keep),
        path(f"/stoker{model}/examples/{{id}}", PUT=imports.example, DELETE=examples.drop),
        path(f"/stoker{model}/versions/{{id}}", PUT=imports.version),
        path(f"/stoker{model}/versions/{{id}}/aliases", GET=aliases.list_, PUT=aliases.put),
        path("/stoker/predictions/missing", POST=imports.missing),
        path("/stoker/predictions/{id}", PUT=imports.prediction),
        path("/stoker/predictions/{id}/wait", polled=True, GET=waits.get),
        path("/stoker/trainings/{id}", PUT=imports.training),
        path("/stoker/tokens", writes="run", GET=tokens.list_, POST=tokens.create),
        path("/stoker/tokens/{id}", writes="run", DELETE=tokens.revoke),
        path("/stoker/accounts", GET=accounts.list_, POST=accounts.create),
        path("/stoker/accounts/{name}", GET=accounts.get, PATCH=accounts.update),
        path("/stoker/accounts/{name}/webhook-secret", PUT=accounts.put_webhook_secret),
        path("/stoker/accounts/{name}/members", GET=members.list_),
        path("/stoker/accounts/{name}/members/{member}", PUT=members.put, DELETE=members.remove),
        path("/stoker/files-secret", reads="run", GET=files.secret),
        path("/health", open=True, GET=health.get),
        *openai.routes(services),
        path("/openapi.json", open=True, GET=document.get),
    ]
