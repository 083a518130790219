"""Examples as clients see them: predictions with fresh links, for everyone who sees the model."""

from stoker.api.resources import predictions
from stoker.api.services import Services
from stoker.api.wire import PredictionObject
from stoker.core import examples
from stoker.core.catalog import Model
from stoker.core.examples import Example


async def describe(services: Services, example: Example) -> PredictionObject:
    """The kept prediction; its webhook is nobody else's business."""
    shown = examples.shown(example, services.links, now_us=services.clock.now_us())
    return await predictions.describe(services, shown)


async def default_of(services: Services, model: Model) -> PredictionObject | None:
    """What stands for the model, if its owner kept anything."""
    if model.default_example is None:
        return None
    example = await services.store.examples.get(model.default_example)
    return await describe(services, example) if example else None
