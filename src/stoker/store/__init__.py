"""Adapters of the store port: what is remembered, in SQL."""
