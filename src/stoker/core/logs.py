"""Log text up to a limit in bytes, as UTF-8 has them. Used for what a run and a set-up print. Pure."""

LOG_CUT = "\n[the log is longer than this server keeps; the rest is left out]\n"
BEGINNING_CUT = "[the beginning of a long log is left out]\n"


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


def last_of(text: str, limit_bytes: int) -> str:
    """Its last whole lines that fit, after a line which says that there were more; a longer line is cut."""
    whole = text.encode()
    if len(whole) <= limit_bytes:
        return text
    last = whole[-limit_bytes:].decode(errors="ignore")
    return BEGINNING_CUT + (last.partition("\n")[2] or last)
