"""
What each service's ``/accounts`` and pages of credits answer, as they are documented.

Everything in them that must not get out begins with ``canary``, addresses aside.
"""

from __future__ import annotations

from typing import Any

ONE, TWO = "studio1@mail.example.com", "studio2@mail.example.com"
SIGNED_OUT = "Google has signed your account out. Reconnect at https://useapi.net/setup"
UTC = "2026-12-24T12:13:14.000Z"


def _flow(**more: Any) -> dict[str, Any]:
    return {
        "health": "OK",
        "created": "2026-01-01T00:00:00.000Z",
        "sessionData": {"expires": UTC},
        "project": {"projectId": "canary-project"},
        **more,
    }


ACCOUNTS: dict[str, dict[str, Any]] = {
    "acemusic": {
        ONE: {"email": ONE, "health": "OK", "maxJobs": 4},
        TWO: {"email": TWO, "health": "error", "error": "Wrong password", "maxJobs": 4},
    },
    "dreamina": {
        f"US:{ONE}": {"account": f"US:{ONE}", "region": "US", "maxJobs": 10, "sessionExpires": UTC},
        f"CA:{TWO}": {"account": f"CA:{TWO}", "maxJobs": 5, "error": "Session expired"},
    },
    "flowmusic": {
        ONE: {
            "maxJobs": 4,
            "access_token": "canary-access",
            "refresh_token": "canary-refresh",
            "session_id": "canary-session",
            "user_id": "canary-user",
        },
        TWO: {"maxJobs": 4, "error": "Re-authentication is needed"},
    },
    "gemini-notebook": {
        ONE: {"health": "OK", "maxJobs": 3, "runningJobs": 1, "cookies": ["canary-SID"]},
        TWO: {"health": "Session expired", "maxJobs": 3, "runningJobs": 0},
    },
    "google-flow": {
        ONE: _flow(nextRefresh={"scheduledFor": UTC}, cookies=["canary-cookie"]),
        TWO: _flow(health=SIGNED_OUT, error=SIGNED_OUT),
    },
    "google-vids": {
        ONE: {"health": "OK", "maxJobs": 3, "cookies": ["canary-SID"], "vidsDocId": "canary-doc"},
        TWO: {"health": "signed out", "maxJobs": 3},
    },
    "kling": {
        ONE: {
            "email": ONE,
            "session": {"userId": "canary-user", "ExpireTime": 1, "ExpireTimeUTC": UTC},
            "maxJobs": 8,
            "password": "canary-secured",
        },
        TWO: {"email": TWO, "maxJobs": 3, "error": "Account is locked", "password": "canary"},
    },
    "minimax": {
        "11223388": {
            "account": "11223388",
            "jwt": {
                "token": "canary-token",
                "user": {"deviceID": "canary-device", "name": "canary-name", "avatar": "canary"},
                "exp": 1798114394.864,
                "searchParams": "uuid=canary",
                "exp_Expire": UTC,
            },
            "maxJobs": 2,
        },
        "11223399": {"account": "11223399", "maxJobs": 2, "error": "Token has expired"},
    },
    "mureka": {
        "123456789": {
            "account": "123456789",
            "token": "canary-token",
            "email": ONE,
            "hasAutoRefresh": True,
            "sessionCookie": {"name": "__Secure-3PSID", "value": "canary-cookie", "expires": UTC},
        },
        "987654321": {
            "account": "987654321",
            "token": "canary-token",
            "hasAutoRefresh": False,
            "error": "Session refresh failed 2026-01-19T14:31:15.000Z, manual update required",
        },
    },
    "muse": {
        ONE: {
            "email": ONE,
            "maxJobs": 3,
            "sessionExpiresAt": UTC,
            "quota": {"tier": "HATCH_FREE", "percentUsed": 7, "resetsAt": UTC, "topupBalance": 0},
            "health": "OK",
        },
        TWO: {"email": TWO, "maxJobs": 2, "health": "Meta security check"},
    },
    "pixverse": {
        ONE: {
            "email": ONE,
            "jwt": {
                "AccountId": 1122334455,
                "ExpireTime": 123456789,
                "ExpireTimeUTC": UTC,
                "Username": "canary-name",
                "token": "canary-token",
            },
            "maxJobs": 8,
            "password": "canary-secured",
        },
        TWO: {"email": TWO, "maxJobs": 3, "error": "Wrong password"},
    },
    "runwayml": {
        ONE: {
            "email": ONE,
            "password": "canary-password",
            "jwt": {"token": "canary-token", "exp": 1798114394.864, "iat": 1.0, "id": 123456},
            "workspace": {"id": 7, "name": "canary-team", "plan": "pro"},
            "maxJobs": 5,
        },
        TWO: {"email": TWO, "maxJobs": 5, "error": "Wrong username/password combination"},
    },
    "tempolor": {
        "user7788": {"user_id": "user7788", "maxJobs": 10, "requestParams": {"x": "canary"}},
        "user7799": {"user_id": "user7799", "maxJobs": 20, "requestParams": {}},
    },
}
"""By slug: the first account is healthy; the second is in trouble, where the service tells it."""

CREDITS: dict[str, dict[str, Any]] = {
    "gemini-notebook": {
        "accounts": {
            ONE: {
                "health": "OK",
                "maxJobs": 3,
                "running": 0,
                "jobs": [],
                "lastKnownQuota": {"windows": [{"percentUsed": 3, "resetsAt": UTC}]},
            }
        }
    },
    "google-flow": _flow(
        nextRefresh={"scheduledFor": UTC},
        access_token="canary-token",
        cookies=[{"value": "canary-cookie"}],
        credits={
            "credits": 23630,
            "userPaygateTier": "PAYGATE_TIER_TWO",
            "sku": "G1_TIER2",
            "subscriptionCredits": 25000,
        },
        models={"videoModels": [{"key": "veo-3.1-fast", "creditCost": 10}]},
    ),
    "kling": {
        "email": ONE,
        "session": {"ExpireTimeUTC": UTC},
        "maxJobs": 5,
        "password": "canary-secured",
        "balance": {
            "points": [
                {"orderId": "canary-order", "balance": 0, "endTime": 1700000000000},
                {"orderId": "canary-order", "balance": 56000, "endTime": 1798114394000},
            ],
            "tickets": [],
            "total": 56000,
        },
    },
    "minimax": {
        "privilegeType": 0,
        "totalCredits": 100,
        "videoCost": 30,
        "memberName": "Free",
        "creditExpireText": [{"credit": 100, "endTime": 1798114394000}],
        "modelControl": [{"modelId": "canary"}],
    },
    "mureka": {
        "user": {
            "id": "123456789",
            "user_id": 123456789,
            "stage_name": "canary-name",
            "register_ip": "canary-ip",
            "vip_name": "Monthly Pro",
            "vip_end_UTC": UTC,
        },
        "credits": 500,
        "credits_silver": 4,
    },
    "muse": ACCOUNTS["muse"],
    "pixverse": {
        "user_id": 1,
        "plan_name": "Pro Plan",
        "credit_daily": 30,
        "credit_daily_gift": 30,
        "credit_monthly": 5600,
        "credit_monthly_gift": 6000,
        "credit_package": 20,
        "expired_date": UTC,
        "gen_simultaneously": 5,
        "invoice_url": "https://canary.example/invoice",
        "stripe_bill_url": "https://canary.example/stripe",
    },
    "runwayml": {
        "permitted": {"storageGB": 500, "numPlanCredits": 2250},
        "used": {"numPlanCredits": 1315},
        "workspaces": [
            {"name": "canary-team", "currentPlan": None},
            {"name": "canary-team", "currentPlan": "pro", "planExpiration": UTC},
        ],
    },
}
"""By slug: one account, or all of them where one answer tells of all."""

TOTALS = {
    "gemini-notebook": None,
    "google-flow": 23630,
    "kling": 56000,
    "minimax": 100,
    "mureka": 500,
    "muse": None,
    "pixverse": 11680,
    "runwayml": 935,
}
