"""Weights that versions share: fetched once, checked, kept in one folder of the server's.

``shelf`` has what is whole; ``fetching`` brings new ones, from a ``directory`` of this machine or by a
``download`` from a hub, and has them checked (``safetensors``) before they count.
"""
