"""OAuth: token, introspect and revoke on dated and v3 paths, never v1 (section 5.1)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from .errors import ApiError, answer
from .paths import Both
from .tokens import is_over
from .world import world

oauth = Blueprint("oauth", __name__)
route = Both(oauth, "/oauth/v3", "/oauth/<version>")

SCOPES = (
    "oauth crm.objects.contacts.read crm.objects.contacts.write crm.objects.companies.read "
    "crm.objects.deals.read crm.objects.owners.read crm.schemas.contacts.read "
    "crm.schemas.contacts.write"
)


def _refuse(error: str, status: str, message: str) -> ApiError:
    body = {"error": error, "error_description": message, "status": status, "message": message}
    return ApiError(400, body)


@route("/token", "POST")
def token() -> Response:
    """Give an access token for a refresh token or for client credentials."""
    _check_client()
    grant = request.form.get("grant_type", "")
    if grant not in {"refresh_token", "client_credentials"}:
        raise _refuse("unsupported_grant_type", "BAD_GRANT_TYPE", f"grant_type {grant}")
    if grant == "refresh_token":
        _check_refresh()
    config = world().config
    reply = {
        "access_token": world().tokens.issue(grant),
        "expires_in": int(config.token_seconds),
        "token_type": "bearer",
        "token_use": "access_token",
        "hub_id": config.portal_id,
        "scopes": (request.form.get("scope") or SCOPES).split(),
    }
    if grant == "refresh_token":
        reply |= {"refresh_token": config.refresh_token, "user_id": 9001}
    return answer(reply)


def _check_client() -> None:
    config, form = world().config, request.form
    if form.get("client_id") != config.client_id:
        raise _refuse("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id")
    if form.get("client_secret") != config.client_secret:
        raise _refuse("invalid_client", "BAD_CLIENT_SECRET", "missing or unknown client secret")


def _check_refresh() -> None:
    held, tokens = request.form.get("refresh_token"), world().tokens
    if not tokens.installed or held != world().config.refresh_token or held in tokens.revoked:
        message = "missing or unknown refresh token"
        raise _refuse("invalid_grant", "BAD_REFRESH_TOKEN", message)


@route("/token/introspect", "POST")
def introspect() -> Response:
    """Say what a token is; a dead one is only not active."""
    _check_client()
    text, config = request.form.get("token", ""), world().config
    found = world().tokens.find(text)
    refresh = text == config.refresh_token and text not in world().tokens.revoked
    if not refresh and (found is None or is_over(found)):
        return answer({"active": False})
    app_id = found.app_id if found else config.app_id
    use = "refresh_token" if refresh else "access_token"
    base = {"active": True, "token_use": use, "client_id": config.client_id}
    return answer({**base, "hub_id": config.portal_id, "app_id": app_id, "scopes": SCOPES.split()})


@route("/token/revoke", "POST")
def revoke() -> Response:
    """Revoke a refresh token; live access tokens stay alive (section 5.1)."""
    _check_client()
    world().tokens.revoked.add(request.form.get("token", ""))
    return Response(status=200)
