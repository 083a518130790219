"""Log text up to a limit in bytes, as UTF-8 has them. Used for what a run and a set-up print. Pure."""

LOG_CUT = "\n[the log is longer than this server keeps; the rest is left out]\n"


class Log:
    """Keeps what is added as long as there is room, then says once that the rest is missing."""

    def __init__(self, limit_bytes: int):
        self._pieces: list[str] = []
        self._room = limit_bytes

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, text: str) -> None:
        """Cut in whole characters where it does not fit."""
        if self._room <= 0:
            return
        whole = text.encode()
        if len(whole) >= self._room:
            text = whole[: self._room].decode(errors="ignore") + LOG_CUT
        self._room -= len(whole)
        self._pieces.append(text)
