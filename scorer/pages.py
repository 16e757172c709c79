"""What a page is about, by its address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

# The first that fits names the family. Written for English sites; others go by their first folder.
FAMILIES: Mapping[str, str] = {
    "pricing": r"pric|plans?\b|tariff|cost|quote|angebot|preis",
    "demo": r"demo|book-a|schedule|trial|get-started|free",
    "contact": r"contact|talk-to|kontakt|sales",
    "checkout": r"checkout|cart|basket|order|payment|billing",
    "login": r"login|log-in|signin|sign-in|account|dashboard",
    "signup": r"signup|sign-up|register|join|subscribe",
    "case study": r"case-stud|customer|success|testimonial|stories|review",
    "comparison": r"compar|\bvs\b|-vs-|alternative|versus",
    "integrations": r"integrat|connect|marketplace|plugin|apps?\b",
    "security": r"security|trust|complian|gdpr|soc2",
    "docs": r"docs?\b|documentation|developer|api\b|reference|guide|tutorial",
    "support": r"support|help|faq|kb\b|ticket",
    "status": r"status|uptime|incident",
    "webinar": r"webinar|event|conference|workshop",
    "download": r"download|whitepaper|ebook|report|pdf",
    "blog": r"blog|news|article|post|press",
    "careers": r"career|jobs?\b|hiring|vacanc",
    "investors": r"investor|shareholder",
    "partners": r"partner|affiliate|reseller",
    "legal": r"legal|privacy|terms|imprint|cookie",
    "about": r"about|team|company|mission|story",
    "features": r"feature|solution|use-case|industr",
    "product": r"product|catalog|shop|item|collection|platform",
}
HOME, NUMBERED = "home", "numbered"
NUMBER = re.compile(r"(?<=/)(\d+|[0-9a-f]{8,}(-[0-9a-f]+)*)(?=/|$)")
DEEP = 3
_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in FAMILIES.items())
NAMES = (HOME, *FAMILIES)


def path_of(url: str) -> str:
    """Return a page's path without numbers, query or depth, "" where there is no page."""
    if not url:
        return ""
    try:
        path = urlsplit(url if "://" in url or url.startswith("/") else f"//{url}").path
    except ValueError:
        return ""
    path = NUMBER.sub("*", path.lower().rstrip("/"))
    return "/".join(path.split("/")[: DEEP + 1])[:80] or "/"


def family_of(url: str) -> str:
    """Return what a page is about, or its first folder; "" where there is no page."""
    path = path_of(url)
    if not path:
        return ""
    if path in {"/", "/home", "/index.html", "/index"}:
        return HOME
    known = (name for name, pattern in _PATTERNS if pattern.search(path))
    return next(known, path.strip("/").split("/")[0].replace("*", NUMBERED) or HOME)
