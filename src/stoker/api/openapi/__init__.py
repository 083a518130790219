"""The OpenAPI document of what ``stoker.api.routes`` serves: YAML files by resource, and what joins them."""
