"""The command line. It talks HTTP to a server like every other client and never imports the server.

``app`` holds the commands together; one module a command (or group of commands) says what it takes, and
imports what it needs only when it runs, so that ``--help`` answers at once.
"""
