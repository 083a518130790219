"""What ``stoker push`` does: ``source`` is the project, ``upload`` sends it, ``build`` has it built;
``project`` is all three."""
