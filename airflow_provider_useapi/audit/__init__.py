"""
What an audit finds, and how it is kept and shown.

``snapshot`` is what one audit saw, ``rules`` what it makes of it, ``rows`` the comparison with the
last one, ``table`` and ``report`` the two ways to show it. All of it is pure.
"""
