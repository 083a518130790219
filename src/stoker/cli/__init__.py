"""The command line. It talks HTTP to a server like every other client and never imports the server.

``app`` holds the commands together. One module here is a command (or group of commands): it says what it
takes, and imports what it needs only when it runs, so that ``--help`` answers at once. What ``push`` and
``run`` do is in ``pushing`` and ``running``; ``server`` is the way to the server, ``terminal`` is what people
see.
"""
