"""A model whose work takes memory for a moment."""

import resource


def pages(megabytes: int) -> int:
    """How many pages a block of memory cost the kernel."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = b"x" * (megabytes << 20)
    assert block[-1] == ord("x")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
