"""What the stand-in internet does because the real one does it, each with where it is known from."""

from __future__ import annotations

from runbook.rehearsal.clouds.behaviours import FOUND, OWN, UNVERIFIED
from runbook.rehearsal.clouds.web.asking import Fact

_TTL = "https://developers.cloudflare.com/dns/manage-dns-records/reference/ttl/"
_PROXY = "https://developers.cloudflare.com/dns/proxy-status/"
_SSL = "https://developers.cloudflare.com/ssl/origin-configuration/ssl-modes/"
_CACHE = "https://developers.cloudflare.com/cache/concepts/default-cache-behavior/"
_RULES = "https://developers.cloudflare.com/cache/how-to/cache-rules/"
_AGING = "https://vercel.com/docs/caching/cache-control-headers and Next.js's documentation, next.config.js headers"
_SKEW = f"{UNVERIFIED}: https://vercel.com/docs/skew-protection, where it is off"
_CUSTOM = "https://supabase.com/docs/guides/platform/custom-domains"
_KONG = "github.com/supabase/supabase: docker/volumes/api/kong.yml"
_GOTRUE = "GoTrue's source: internal/api"

FACTS = [
    Fact("TTL 1 and every proxied name are served with 300 s.", _TTL),
    Fact("A proxied name has addresses of Cloudflare and hides its record.", _PROXY),
    Fact("A proxied name has no IPv6 address here, and exactly two others.", OWN),
    Fact("The proxy takes any certificate of its origin, as in the mode Full.", f"{_SSL} (the mode is assumed)"),
    Fact("An IPv4 address in a record is served as the one on this machine that stands for it.", OWN),
    Fact("The SOA's TTL and minimum are 1800 s.", FOUND),
    Fact("A CNAME at the top of a zone is served as addresses.", f"{_PROXY} and dns/cname-flattening/"),
    Fact("A missing name is remembered for min(SOA TTL, SOA minimum).", "RFC 2308, section 5"),
    Fact("Resolvers obey, cut off at a ceiling, or extend TTLs.", FOUND),
    Fact("Each link of a chain is kept by its own TTL.", "RFC 1034, section 4.3.2, and RFC 2181, section 5.2"),
    Fact("A change at Cloudflare is served at once; the real one takes seconds.", OWN),
    Fact("Vercel's edge serves a domain by the project it was added to, whatever the target's name.", UNVERIFIED),
    Fact("A certificate for a domain or custom host name is there at once.", f"{OWN}: minutes in the documents"),
    Fact("A build that is not READY answers 404 at its own host.", UNVERIFIED),
    Fact("Deployment protection is off: a build's own host answers everybody.", OWN),
    Fact("Proxied names: only GET is kept, by host, path and query; HTML and JSON are not kept by default.", _CACHE),
    Fact("Cache rules stack, and of one setting the last rule's value counts.", f"{_RULES}order/"),
    Fact("override_origin keeps an answer so long, whatever the origin's Cache-Control says.", f"{_RULES}settings/"),
    Fact(
        "It keeps a 404 as long as a 200, unless the rule has a TTL for that status.",
        f"{UNVERIFIED}: reported in SSWConsulting/SSW.Website issue 4965; {_RULES}settings/ says nothing of it",
    ),
    Fact("Without a rule the origin's max-age counts, without one 7200 s (200), 180 s (404).", _CACHE),
    Fact("What is private, no-store, no-cache or max-age=0 is not kept; nor is what sets a cookie.", _CACHE),
    Fact("A rule that says never gives cf-cache-status DYNAMIC.", f"{_RULES}settings/"),
    Fact("All of Cloudflare's edges are one, and a purge is done at once.", OWN),
    Fact("Browsers and service workers keep nothing: browser_ttl shows nowhere.", OWN),
    Fact("Vercel serves public, max-age=0, must-revalidate, and Next.js's static files as immutable.", _AGING),
    Fact("A domain has the static files of the build that serves, and 404 for those of another one.", _SKEW),
    Fact("Every page of a build asks for one static file that is named after the build.", f"{OWN}: many, in truth"),
    Fact("Health pages name the build and its env, secrets as fingerprints.", OWN),
    Fact("A request that an app logs arrives in Loki at once where a drain takes its project.", OWN),
    Fact("The receiver of a drain is not asked for the header x-vercel-verify when a drain is made.", OWN),
    Fact("A custom host name is served by the project where it is active, at that project's address.", _CUSTOM),
    Fact("Tokens name the host they were asked for as issuer.", f"{UNVERIFIED}: {_CUSTOM}"),
    Fact("Tokens are signed with ES256 and name their key.", "https://supabase.com/docs/guides/auth/signing-keys"),
    Fact("The auth server wants an apikey, but not for verify and the published keys.", _KONG),
    Fact("It takes the API keys of its own project alone.", f"{_KONG}; the text is unverified"),
    Fact("Until an account is named any password logs in, and everybody has one.", OWN),
    Fact("Until an API key is named every one is taken.", OWN),
    Fact("A token of an ended session is refused: session_not_found.", _GOTRUE),
    Fact("verify redirects with 303, also when the link is no longer valid.", _GOTRUE),
    Fact(
        "A redirect goes to the site's host or what a pattern allows, else to site_url.",
        "https://supabase.com/docs/guides/auth/redirect-urls",
    ),
]


def count() -> tuple[int, int]:
    """How many facts the stand-in internet rests on, and how many of these nobody has seen."""
    return len(FACTS), sum(UNVERIFIED in fact.source for fact in FACTS)
