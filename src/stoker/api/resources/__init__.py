"""One module a resource: what each of its paths answers. ``stoker.api.routes`` says which path is whose."""
