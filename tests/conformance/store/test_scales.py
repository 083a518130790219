"""What is asked for is kept, and goes with what it is asked for."""

from stoker.core.scales import Asked, Target, Warm
from stoker.ports.store import Store
from tests.conformance.store.conftest import Play
from tests.conformance.store.samples import model, version

FULL = Asked(
    idle_s=1.5,
    min_instances=1,
    max_instances=3,
    warm=Warm(instances=2, until_us=5, schedule="mon 8-18", adaptive=True, timezone="Europe/Berlin"),
)


def test_what_is_asked_for_is_kept_until_it_is_nothing(play: Play):
    account, named = Target(kind="account", ref="Ann"), Target(kind="model", ref="ann/sketch")

    async def story(store: Store) -> None:
        await store.scales.put(account, Asked(idle_s=3))
        await store.scales.put(named, Asked(idle_s=4))
        await store.scales.put(named, FULL)

    async def told(store: Store) -> None:
        assert await store.scales.all() == {account: Asked(idle_s=3), named: FULL}
        assert await store.scales.get(Target(kind="account", ref="ann")) == Asked(idle_s=3)
        assert await store.scales.get(Target(kind="deployment", ref="ann")) == Asked()
        await store.scales.put(account, Asked())
        assert await store.scales.all() == {named: FULL}

    play(story)
    play(told)


def test_it_goes_with_its_version_and_its_model(play: Play):
    async def story(store: Store) -> None:
        await store.models.create(model())
        made = version()
        await store.versions.create(made)
        owner, _, name = made.model.partition("/")
        of_version = Target(kind="version", ref=made.model, version=made.id)
        of_model = Target(kind="model", ref=made.model)
        for target in (of_version, of_model):
            await store.scales.put(target, FULL)
        assert await store.versions.delete(made.model, made.id)
        assert await store.scales.all() == {of_model: FULL}
        assert await store.models.delete(owner, name)
        assert await store.scales.all() == {}

    play(story)
