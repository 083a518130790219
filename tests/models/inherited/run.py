"""The method that runs is inherited from another file of the project; only setup is here."""

from parent import Parent


class Runner(Parent):
    def setup(self) -> None:
        self.greeting = "hello"
