"""HTTP itself, whatever the resource: bodies, forms, ranges, pages, events, the other end of a connection."""
