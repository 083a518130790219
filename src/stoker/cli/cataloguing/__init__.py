"""What ``stoker catalog`` does: ``entries`` is what ships, ``adding`` brings it to a server."""
