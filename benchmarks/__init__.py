"""What gates cost, measured beside what one would use without this provider. See __main__.py."""
