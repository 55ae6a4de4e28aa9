"""What a token of the company's sign-on says, and whether to believe it: each check by name, in words. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from models.audit import shown
from models.signon import Claimed

# Signed with a key that only the company has; never "none", never with a secret that we know too.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
# Clocks of two machines differ; more than this and one of them is wrong.
SKEW_SECONDS = 120
# A token is used at once; what was issued longer ago is an old one shown again.
LONGEST_AGE_SECONDS = 600
LONGEST_TOKEN = 16_000
LONGEST_SUBJECT = 255
MOST_GROUPS = 2_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token is compared with."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    groups_claim: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `fault` in words, "" where it is right; `seen` is what the token says."""

    name: str
    seen: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """A token after every check. `claimed` is None unless all of them are right."""

    checks: tuple[Check, ...]
    claimed: Claimed | None

    @property
    def fault(self) -> str:
        """The first thing that is wrong, "" where nothing is."""
        return next((f"{check.name}: {check.fault}" for check in self.checks if check.fault), "")


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says about its signature before that is checked. `kid` is "" where it names no key."""

    algorithm: str
    kid: str


def header(token: str) -> Header | None:
    """The header of a signed token; None for what is none."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        found = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, AttributeError):
        return None
    algorithm, kid = found.get("alg"), found.get("kid", "")
    return Header(algorithm, kid) if isinstance(algorithm, str) and isinstance(kid, str) else None


def examine(token: str, keys: Sequence[Key], more: Mapping[str, Any], wanted: Wanted) -> Examined:
    """Look at everything, also behind the first fault: the page that tests a sign-on shows it all.

    `more` are the claims of the userinfo endpoint, of the same subject; they fill in what the token leaves out.
    """
    claims, signature = _signed(token, keys)
    checks, said = [signature], header(token)
    if claims is None or said is None:
        return Examined(tuple(checks), None)
    checks += [Check(name, _seen(claims, name), rule(claims, wanted)) for name, rule in RULES]
    checks.append(Check("whole token", "", _by_library(claims, said.algorithm, wanted)))
    if any(check.fault for check in checks):
        return Examined(tuple(checks), None)
    told = {**(more if more.get("sub") == claims["sub"] else {}), **claims}
    groups = _groups(told.get(wanted.groups_claim))
    email = told.get("email")
    claimed = Claimed(
        issuer=claims["iss"],
        subject=claims["sub"],
        email=email if isinstance(email, str) else None,
        # Some say it as a text; anything but these two is no.
        email_is_verified=told.get("email_verified") in (True, "true"),
        groups=groups,
    )
    checks.append(Check("email", shown(claimed.email or "not said")))
    checks.append(Check("email_verified", "yes" if claimed.email_is_verified else "no"))
    checks.append(Check(wanted.groups_claim, "not said" if groups is None else shown(", ".join(groups) or "none")))
    return Examined(tuple(checks), claimed)


def _signed(token: str, keys: Sequence[Key]) -> tuple[dict[str, Any] | None, Check]:
    found = header(token)
    if found is None:
        return None, Check("signature", "", "what came is no signed token")
    seen = shown(f"{found.algorithm}, key {found.kid or 'not named'}")
    if found.algorithm not in ALGORITHMS:
        return None, Check("signature", seen, f"the algorithm “{shown(found.algorithm)}” proves nothing")
    fitting = [key for key in keys if not found.kid or key.kid == found.kid]
    if not fitting:
        return None, Check("signature", seen, "the company publishes no such key")
    for key in fitting:
        try:
            return dict(jwt.decode(token, key, algorithms=[found.algorithm]).claims), Check("signature", seen)
        except (JoseError, ValueError, TypeError):
            continue
    return None, Check("signature", seen, "it was not made with the company's key")


def _issuer(claims: Mapping[str, Any], wanted: Wanted) -> str:
    return "" if claims.get("iss") == wanted.issuer else f"must be {wanted.issuer}, as settings name it"


def _audience(claims: Mapping[str, Any], wanted: Wanted) -> str:
    said = claims.get("aud")
    named = said if isinstance(said, list) else [said]
    if wanted.client_id not in named:
        return f"the token is not for {wanted.client_id}"
    if len(named) > 1 and claims.get("azp") != wanted.client_id:
        return f"the token is for several, and was not given to {wanted.client_id} (azp)"
    return ""


def _authorized(claims: Mapping[str, Any], wanted: Wanted) -> str:
    said = claims.get("azp", wanted.client_id)
    return "" if said == wanted.client_id else f"the token was given to another program than {wanted.client_id}"


def _expires(claims: Mapping[str, Any], wanted: Wanted) -> str:
    until = _instant(claims.get("exp"))
    if until is None:
        return "the token does not say until when it is valid"
    return "" if until + SKEW_SECONDS > wanted.now.timestamp() else "the token has expired; is a clock wrong?"


def _issued(claims: Mapping[str, Any], wanted: Wanted) -> str:
    since, now = _instant(claims.get("iat")), wanted.now.timestamp()
    if since is None:
        return "the token does not say when it was made"
    if since - SKEW_SECONDS > now:
        return "the token was made in the future; is a clock wrong?"
    return "" if now - since < LONGEST_AGE_SECONDS + SKEW_SECONDS else "the token is an old one"


def _not_before(claims: Mapping[str, Any], wanted: Wanted) -> str:
    if "nbf" not in claims:
        return ""
    since = _instant(claims["nbf"])
    is_valid = since is not None and since - SKEW_SECONDS <= wanted.now.timestamp()
    return "" if is_valid else "the token is not valid yet; is a clock wrong?"


def _nonce(claims: Mapping[str, Any], wanted: Wanted) -> str:
    said = claims.get("nonce")
    is_ours = isinstance(said, str) and hmac.compare_digest(said.encode("utf-8", "replace"), wanted.nonce.encode())
    return "" if is_ours else "the token answers another request than this one"


def _subject(claims: Mapping[str, Any], wanted: Wanted) -> str:
    said = claims.get("sub")
    is_name = isinstance(said, str) and 0 < len(said) <= LONGEST_SUBJECT and said.isprintable()
    return "" if is_name else "the token does not say who it is about"


Rule = Callable[[Mapping[str, Any], Wanted], str]
RULES: tuple[tuple[str, Rule], ...] = (
    ("iss", _issuer),
    ("aud", _audience),
    ("azp", _authorized),
    ("exp", _expires),
    ("iat", _issued),
    ("nbf", _not_before),
    ("nonce", _nonce),
    ("sub", _subject),
)
# Nobody learns these from a page that is shown around.
_UNSEEN = frozenset({"nonce"})


def _by_library(claims: Mapping[str, Any], algorithm: str, wanted: Wanted) -> str:
    """The library's own rules for a token of this flow, the hash of the access token among them."""
    whole = CodeIDToken(
        dict(claims),
        {"alg": algorithm},
        options={"iss": {"essential": True, "value": wanted.issuer}, "aud": {"essential": True}},
        params={"nonce": wanted.nonce, "client_id": wanted.client_id, "access_token": wanted.access_token},
    )
    try:
        whole.validate(now=int(wanted.now.timestamp()), leeway=SKEW_SECONDS)
    except (JoseError, ValueError, TypeError) as error:
        return f"not as the standard has it: {shown(str(error))}"
    return ""


def _instant(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e12 else None


def _groups(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        return None
    return tuple(one for one in value[:MOST_GROUPS] if isinstance(one, str))


def _seen(claims: Mapping[str, Any], name: str) -> str:
    if name not in claims:
        return "not said"
    return "as sent" if name in _UNSEEN else shown(str(claims[name]))[:200]
