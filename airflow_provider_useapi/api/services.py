"""
The catalogue of the AI services behind useapi.net: their names, and where each tells what.

A service has a *slug* (``runwayml``) and the *key* under which ``/v2/account`` lists it
(``Runway AP``). Only four keys are documented; the others follow the titles of the vendor's own
API catalogue. Services come and go, so a name that is not in the table passes through.

Which linked accounts are free right now, which are in trouble, and what credits each has left is
told by each service in its own way. A new service is one entry here, and one reader only if it
speaks a new dialect. A gate asks only for lists that useapi.net keeps itself, as far as its pages
tell. Credits are read at the service with the user's own login, so a page of them stands here only
if reading it changes nothing: not that of Dreamina, which claims the free daily credits, nor Muse's
``/accounts/{email}``, which may sign the account in again and mail a code.
"""

from __future__ import annotations

from airflow_provider_useapi.api.endpoints import CreditsPage, Endpoint, Service


def _accounts(slug: str, version: int = 1) -> Endpoint:
    return Endpoint(f"/v{version}/{slug}/accounts", "accounts", none_on=(404,))


def _offers(slug: str, version: int = 1) -> Endpoint:
    path = f"/v{version}/{slug}/scheduler/available"
    return Endpoint(path, "available", missing="full")


CATALOGUE: tuple[Service, ...] = (
    Service(
        "acemusic",
        "ACE Music API",
        live=(Endpoint("/v1/acemusic/jobs", "list_of_jobs"), _accounts("acemusic")),
        accounts=_accounts("acemusic"),
        renewal="itself",
        source="api-acemusic-v1/get-acemusic-jobs",
    ),
    Service(
        "dreamina",
        "Dreamina API",
        live=(Endpoint("/v1/dreamina/scheduler", "jobs_by_account"), _accounts("dreamina")),
        accounts=_accounts("dreamina"),
        expiry=(("sessionExpires",), ("session", "expires")),
        no_credits="reading them claims the free daily credits of the account",
        source="api-dreamina-v1/get-dreamina-scheduler",
        certainty="inferred",
    ),
    Service(
        "faceswap",
        "InsightFaceSwap API",
        source="api-faceswap-v1/get-faceswap-account",
        note="the answer of its jobs page is not documented",
    ),
    Service(
        "flowmusic",
        "FlowMusic API",
        ("Flow Music API",),
        live=(Endpoint("/v1/flowmusic/jobs", "accounts"), _accounts("flowmusic")),
        accounts=_accounts("flowmusic"),
        source="api-flowmusic-v1/get-flowmusic-jobs",
        certainty="inferred",
        note="asynchronous jobs only",
    ),
    Service(
        "gemini-notebook",
        "Gemini Notebook API",
        live=(Endpoint("/v1/gemini-notebook/jobs", "accounts_inside"),),
        accounts=_accounts("gemini-notebook"),
        renewal="itself",
        credits=CreditsPage("/v1/gemini-notebook/jobs", "gemini_notebook", unit="usage"),
        source="api-gemini-notebook-v1/get-gemini-notebook-jobs",
    ),
    # The expiry in its accounts is an hour after the next refresh: it is not that of the login.
    Service(
        "google-flow",
        "Google Flow API",
        live=(Endpoint("/v1/google-flow/jobs/?options=summary", "google_flow"),),
        accounts=Endpoint("/v1/google-flow/accounts", "google_flow_accounts", none_on=(404,)),
        renewal="itself",
        credits=CreditsPage(
            "/v1/google-flow/accounts/{account}",
            "google_flow",
            total="`credits.credits`",
            named_by=(("email",),),
        ),
        source="api-google-flow-v1/get-google-flow-jobs",
        certainty="inferred",
        publishes_limit=False,
        note="accounts in quarantine are not free; a burst that is throttled takes an account out"
        " for half an hour",
    ),
    Service(
        "google-vids",
        "Google Vids API",
        live=(
            Endpoint("/v1/google-vids/jobs", "accounts_inside", (400,), missing="unknown"),
            _accounts("google-vids"),
        ),
        accounts=_accounts("google-vids"),
        renewal="itself",
        source="api-google-vids-v1/get-google-vids-jobs",
        note="health is taken from its accounts",
    ),
    Service(
        "kling",
        "Kling API",
        ("Kling AI API",),
        live=(_offers("kling"), _accounts("kling")),
        accounts=_accounts("kling"),
        expiry=(("session", "ExpireTimeUTC"),),
        renewal="itself",
        credits=CreditsPage(
            "/v1/kling/accounts/{account}", "kling", total="`balance.total`", named_by=(("email",),)
        ),
        source="api-kling-v1/get-kling-scheduler-available",
        note="accounts without a free slot may not be listed; a task counts for 60 minutes at most;"
        " health is taken from its accounts",
    ),
    Service(
        "ltxstudio",
        "LTX Studio API",
        source="api-ltxstudio-v1/get-ltxstudio-scheduler-available",
        note="retired in June 2025",
        retired=True,
    ),
    Service(
        "luma",
        "Luma API",
        source="api-luma-v1/get-luma-accounts",
        note="gone from the vendor's catalogue since July 2026",
        retired=True,
    ),
    Service(
        "midjourney",
        "Midjourney API",
        source="api-midjourney-v3/get-midjourney-jobs",
        note="discontinued in June 2026",
        retired=True,
    ),
    Service(
        "minimax",
        "MiniMax API",
        live=(_offers("minimax"), _accounts("minimax")),
        accounts=_accounts("minimax"),
        expiry=(("jwt", "exp_Expire"), ("jwt", "exp")),
        renewal="hand",
        credits=CreditsPage(
            "/v1/minimax/features/?account={account}", "minimax", total="`totalCredits`"
        ),
        source="api-minimax-v1/get-minimax-scheduler-available",
        note="video slots only; images take none; health is taken from its accounts",
    ),
    Service(
        "mureka",
        "Mureka API",
        live=(Endpoint("/v1/mureka/jobs", "mureka", missing="full"), _accounts("mureka")),
        accounts=_accounts("mureka"),
        expiry=(("sessionCookie", "expires"),),
        credits=CreditsPage(
            "/v1/mureka/profile/?account={account}",
            "mureka",
            total="`credits`",
            unit="Gold",
            named_by=(("user", "id"), ("user", "user_id")),
        ),
        source="api-mureka-v1/get-mureka-jobs",
        certainty="inferred",
        publishes_limit=False,
        note="health is taken from its accounts",
    ),
    Service(
        "muse",
        "Muse API",
        live=(
            Endpoint("/v1/muse/jobs", "accounts_inside", (400,), missing="unknown"),
            _accounts("muse"),
        ),
        accounts=_accounts("muse"),
        expiry=(("sessionExpiresAt",),),
        plan=("quota", "tier"),
        renewal="itself",
        credits=CreditsPage("/v1/muse/accounts", "muse", unit="weekly allowance"),
        source="api-muse-v1/get-muse-jobs",
        note="health is taken from its accounts",
    ),
    Service(
        "pixverse",
        "PixVerse API",
        live=(_offers("pixverse", version=2), _accounts("pixverse", version=2)),
        accounts=_accounts("pixverse", version=2),
        expiry=(("jwt", "ExpireTimeUTC"),),
        renewal="itself",
        credits=CreditsPage(
            "/v2/pixverse/features/?email={account}",
            "pixverse",
            total="`credit_daily` + `credit_daily_gift` + `credit_monthly`"
            " + `credit_monthly_gift` + `credit_package`",
        ),
        source="api-pixverse-v2/get-pixverse-scheduler-available",
        note="may offer less than limit minus running; speech and music are counted, Off-Peak jobs"
        " and those of the website are not; health is taken from its accounts",
    ),
    Service(
        "riffusion",
        "Riffusion API",
        source="api-riffusion-v1/get-riffusion-scheduler-available",
        note="decommissioned",
        retired=True,
    ),
    # The documentation's sample has the key without its last letter.
    Service(
        "runwayml",
        "Runway AP",
        ("Runway API",),
        live=(Endpoint("/v1/runwayml/scheduler/", "list_of_tasks"), _accounts("runwayml")),
        accounts=_accounts("runwayml"),
        expiry=(("jwt", "exp"),),
        plan=("workspace", "plan"),
        renewal="itself",
        credits=CreditsPage(
            "/v1/runwayml/features/?email={account}",
            "runwayml",
            total="`permitted.numPlanCredits` - `used.numPlanCredits`",
        ),
        source="api-runwayml-v1/get-runwayml-scheduler",
        certainty="stated",
        note="tasks started on the website are not counted",
    ),
    Service(
        "tempolor",
        "TemPolor API",
        live=(_offers("tempolor"),),
        accounts=_accounts("tempolor"),
        source="api-tempolor-v1/get-tempolor-scheduler-available",
    ),
)
