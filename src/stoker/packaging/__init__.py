"""A source tree becomes a version: cog.yaml, environment, schema."""
