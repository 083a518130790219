"""A source tree becomes a version: cog.yaml, environment, schema.

``builder`` has all builds of a server; ``build_steps`` is one of them from its first file to its version, and
calls the rest: ``cogyaml`` (what is wanted), ``environments`` (where it runs), ``schema`` (what goes in and
comes out). ``workspace`` is where finished versions run from.
"""
