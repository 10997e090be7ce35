"""
What can go wrong between a task and useapi.net.

::

    UseApiError
    ├── UseApiConfigError        the connection or an argument is wrong        permanent
    │   └── UseApiConnectionNotFoundError   there is no connection, says Airflow
    ├── UseApiAuthError          the API token was refused                     permanent
    ├── UseApiRequestError       the API refused the request itself            permanent
    ├── UseApiUnavailableError   no answer in time, rate limited or busy       transient
    └── UseApiResponseError      an answer that cannot be the API's            transient

A *permanent* error comes back however often one asks; a *transient* one is worth another try.
"""

from __future__ import annotations

from typing import ClassVar


class UseApiError(Exception):
    """
    Any failure of this package to learn what useapi.net says.

    :param message: one sentence, free of tokens and e-mail addresses.
    :param status_code: the HTTP status that was answered, if one was.
    :param retry_after: seconds from now until the API may be asked again.
    """

    permanent: ClassVar[bool] = True

    def __init__(
        self, message: str, *, status_code: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.retry_after = retry_after


class UseApiConfigError(UseApiError, ValueError):
    """A setting of the connection or an argument of an operator cannot be used."""


class UseApiConnectionNotFoundError(UseApiConfigError):
    """
    Airflow knows no connection of that id.

    It says the same when it cannot read the connection, or cannot reach what stores it: a secrets
    backend, the API server or the database. So a gate that has looked before goes on.
    """


class UseApiAuthError(UseApiError):
    """The API token was refused (401, or 403 with a JSON body)."""


class UseApiRequestError(UseApiError):
    """The request was refused for a reason that asking again does not change."""


class UseApiUnavailableError(UseApiError):
    """The API could not be reached in time, or is rate limiting or busy."""

    permanent = False


class UseApiResponseError(UseApiError):
    """Something answered, but not as the API does: a proxy's page, a cut-off or odd body."""

    permanent = False
