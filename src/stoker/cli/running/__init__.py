"""What ``stoker run`` does: ``execution`` is the whole of it, the others are its parts.

``inputs`` gives the values their types, ``follow`` watches the prediction, ``delivery`` brings its output to
where it is wanted, ``outputs`` knows what an output is and saves files.
"""
