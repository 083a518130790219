"""Every path of OpenAI's API that we answer."""

from starlette.routing import Route

from stoker.api.endpoint import Access, Endpoint, Handler
from stoker.api.openai import audio, chat, completions, images, models, problems
from stoker.api.services import Services

PREFIX = "/openai/v1"


def routes(services: Services) -> list[Route]:
    """The route table; what is posted creates predictions."""

    def path(path: str, **handlers: Handler) -> Route:
        access = Access(writes="run", creates=True)
        return Route(PREFIX + path, Endpoint(services, handlers, access, problems))

    return [
        path("/chat/completions", POST=chat.create),
        path("/completions", POST=completions.create),
        path("/images/generations", POST=images.create),
        path("/audio/transcriptions", POST=audio.transcribe),
        path("/audio/translations", POST=audio.translate),
        path("/models", GET=models.list_),
        path("/models/{model:path}", GET=models.get),
    ]
