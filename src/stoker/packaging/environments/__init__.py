"""From requirements to a folder with an interpreter in it.

In the order of their work: ``requirements`` are what a project wants, ``lock`` pins them (``torch`` says
which PyTorch), ``resolutions`` remembers the pins, ``pythons`` chooses an interpreter, ``environment`` makes
the folder. ``uv`` is the one door to the installer, ``pipsettings`` where this machine has packages from.
"""
