"""cog.yaml: text in, a ``Config`` or every problem out. Pure.

``reader`` reads the document, ``build`` and ``weights`` their parts of it; ``config`` is what comes out.
"""
