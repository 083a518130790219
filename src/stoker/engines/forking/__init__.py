"""Fork servers: processes that have a model's heavy imports done, from which its instances are forked."""
