"""HTTP/1.1 by hand, so that a fault on the wire is exactly the one asked for."""
