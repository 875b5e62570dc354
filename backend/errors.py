"""Every error a caller can get: status, stable code, and how to mend it, in one table.

* ApiError(status, code, fix)
  x Unauthorized, ScopeMissing, NotFound, Malformed, TooLarge, Conflict, StaleVersion, ...

An answer is a problem document (RFC 9457, `application/problem+json`) with `code` and `fix` added.
422 means a malformed payload and nothing else. What belongs to another account is NotFound: its
existence is not told.
"""

from __future__ import annotations

from typing import Any, ClassVar

MEBIBYTE = 1_048_576


class ApiError(Exception):
    """Base of all errors that a caller sees; `detail` must never hold a secret."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong here."
    fix: str = "Try again; if it stays, tell the operator the request id."

    def __init__(
        self,
        detail: str = "",
        *,
        fix: str = "",
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        """Keep what is said of this case alone, and further members of the answer."""
        super().__init__(detail or self.title)
        self.fix = fix or self.fix
        self.headers = headers or {}
        self.members = members


class Unauthorized(ApiError):
    """No key, or one that opens nothing; the two are told apart by nobody."""

    status = 401
    code = "unauthorized"
    title = "This needs a valid API key."
    fix = "Send the header 'Authorization: Bearer <key>' with a key that is not revoked."


class ScopeMissing(ApiError):
    """The key is valid but not for this kind of call."""

    status = 403
    code = "scope_missing"
    title = "This key may not do that."
    fix = "Use a key that has the scope named in 'scope'."


class WrongOrigin(ApiError):
    """A browser sends this from a page that is not of this server."""

    status = 403
    code = "wrong_origin"
    title = "Pages of this origin may not call this address."
    fix = "Call it from a program, or from a page of the server's own address."


class NotFound(ApiError):
    """Nothing of this account has that id."""

    status = 404
    code = "not_found"
    title = "There is no such memory."
    fix = "Recall or list the memories to see their ids."


class NoKey(ApiError):
    """The account has no named key with that id."""

    status = 404
    code = "no_key"
    title = "There is no such key."
    fix = "List the keys to see their ids."


class NoEndpoint(ApiError):
    """The path leads nowhere."""

    status = 404
    code = "no_endpoint"
    title = "There is nothing at this address."
    fix = "See /openapi.json for the addresses."


class MethodNotAllowed(ApiError):
    """The path exists, but not for this method."""

    status = 405
    code = "method_not_allowed"
    title = "This address does not take that method."
    fix = "Use one of the methods in the header 'Allow'."


class TooSlow(ApiError):
    """The caller stopped in the middle of the body."""

    status = 408
    code = "request_timeout"
    title = "The rest of the request did not come."
    fix = "Nothing was done; send it again."

    def __init__(self) -> None:
        """Let the connection end: what still comes on it would be no request."""
        super().__init__(headers={"Connection": "close"})


class Conflict(ApiError):
    """The request clashes with what is stored."""

    status = 409
    code = "conflict"
    title = "This clashes with what is stored."
    fix = "Leave 'uid' out, and a new one is made; or change the memory that has it."


class AccountMismatch(ApiError):
    """A sync call names another account than its key opens."""

    status = 409
    code = "account_mismatch"
    title = "The key belongs to another account than the request names."
    fix = "Ask /api/sync/hello again and bind the store to that account."


class IdempotencyReused(ApiError):
    """An Idempotency-Key came again with another body."""

    status = 409
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request."
    fix = "Use a new key for each new request."


class CursorExpired(ApiError):
    """The cursor points before what was purged, or ahead of this server."""

    status = 410
    code = "cursor_expired"
    title = "This cursor is too old."
    fix = "Ask again without a cursor: that is a full dump."


class EpochChanged(ApiError):
    """The server was restored from a backup since the client last spoke to it."""

    status = 410
    code = "epoch_changed"
    title = "The server was restored from a backup."
    fix = "Replay what is newer than 'lost_after', then ask for a full dump."


class StaleVersion(ApiError):
    """If-Match names a version that is not the present one."""

    status = 412
    code = "stale_version"
    title = "The memory was changed in between."
    fix = "Look at 'current' and repeat the change on it."


class TooLarge(ApiError):
    """The body is over the limit."""

    status = 413
    code = "too_large"
    title = "The request is too large."
    fix = "Send at most 1 MiB at once; an import may have 32 MiB."

    def __init__(self, limit: int) -> None:
        """Tell how many bytes are taken here."""
        super().__init__(fix=f"Send at most {limit // MEBIBYTE} MiB at once.")


class AnswerTooLarge(ApiError):
    """What was asked for is more than the host carries: AWS Lambda has a limit, pods have none."""

    status = 413
    code = "answer_too_large"
    title = "The answer is larger than AWS Lambda carries."
    fix = (
        "Ask for less at once with 'limit', or send 'Accept-Encoding: gzip'. An account as a whole "
        "is written by `python -m backend export`."
    )


class WrongMediaType(ApiError):
    """The body is of another type than the endpoint takes, or is packed in another way."""

    status = 415
    code = "wrong_media_type"
    title = "A body of this type is not taken here."
    fix = "Send 'Content-Type: application/json'; an import may also be 'application/x-ndjson'."


class WrongHost(ApiError):
    """The caller knows this server by a name that is not its own."""

    status = 421
    code = "wrong_host"
    title = "This server is not the one that the header 'Host' names."
    fix = "Use the server's own address; its operator sets it as MEMORY_PUBLIC_URL."


class Malformed(ApiError):
    """The payload is not what the endpoint takes."""

    status = 422
    code = "malformed"
    title = "The request cannot be understood."
    fix = "Send what /openapi.json says; 'errors' names the fields that are wrong."


class UpgradeNeeded(ApiError):
    """The client speaks a protocol that this server does not."""

    status = 426
    code = "upgrade_needed"
    title = "Client and server speak no common protocol version."
    fix = "Update whichever is older; 'protocol' names what this server speaks."


class TooManyRequests(ApiError):
    """The key has used up its rate."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests with this key."
    fix = "Wait as long as Retry-After says."


class Unavailable(ApiError):
    """The database does not answer now."""

    status = 503
    code = "unavailable"
    title = "The database does not answer."
    fix = "Nothing was stored; try again as Retry-After says."

    def __init__(self, detail: str = "", **named: Any) -> None:
        """Tell the caller when to come back."""
        super().__init__(detail, headers={"Retry-After": "2"}, **named)


class OutcomeUnknown(Unavailable):
    """The database was lost just as it was to make the work last: it may have, or not."""

    code = "outcome_unknown"
    title = "The database was lost at the very end."
    fix = (
        "It is not known whether this was done. Ask again with the same Idempotency-Key; without "
        "one, look first at what is stored."
    )


class KeeperDown(Unavailable):
    """The keeper of secrets does not answer now."""

    code = "keeper_unavailable"
    title = "The keeper of secrets does not answer."
    fix = "Nothing was stored; try again as Retry-After says."


class NoKeeper(ApiError):
    """This server was not told where to keep secrets."""

    status = 409
    code = "no_keeper"
    title = "This server cannot keep secrets."
    fix = "Set MEMORY_ENCRYPTION_KEY, VAULT_ADDR or MEMORY_KMS_KEY_ID on the server."


class SecretLost(ApiError):
    """The sealed value cannot be opened any more."""

    status = 410
    code = "secret_lost"
    title = "The secret of this memory cannot be opened."
    fix = "The key that sealed it is gone: store the secret again."
    unset = (
        "Nothing is lost yet: whoever runs the server can set up again what opens it. If nobody "
        "can, store the secret again."
    )


def every_error(base: type[ApiError] = ApiError) -> list[type[ApiError]]:
    """Return all errors, base first: the table that documents and tests are made from."""
    return [base, *(found for child in base.__subclasses__() for found in every_error(child))]


class ConfigurationError(Exception):
    """The server cannot start as it is set up; the text names the setting and the fix."""
