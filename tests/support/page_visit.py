"""Opens the server's page in a real browser and prints what came of it, as JSON.

Run by the Python of the browser's environment: page_visit.py CHROMIUM ADDRESS SCREENSHOT
"""

from __future__ import annotations

import json
import sys
from typing import Any

from playwright.sync_api import Page, sync_playwright  # type: ignore[import-not-found,unused-ignore]

OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
LISTEN = """
window.refused = [];
addEventListener("securitypolicyviolation", found => refused.push(found.blockedURI));
"""


def main(chromium: str, address: str, screenshot: str) -> None:
    """Visit the page, unfold one operation, send it, and tell."""
    seen: dict[str, Any] = {"asked": [], "console": [], "errors": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        page = browser.new_page()
        page.add_init_script(LISTEN)
        page.on("request", lambda request: seen["asked"].append(request.url))
        page.on("console", lambda message: seen["console"].append(message.text))
        page.on("pageerror", lambda error: seen["errors"].append(str(error)))
        page.goto(f"{address}/docs")
        page.wait_for_selector(".opblock")
        seen["operations"] = page.locator(".opblock").count()
        seen["answer"] = _try_out(page)
        seen["refused"] = page.evaluate("window.refused")
        page.screenshot(path=screenshot)
        browser.close()
    print(json.dumps(seen))


def _try_out(page: Page) -> str:
    """Send the first operation by its buttons; return what the page shows of the answer."""
    block = page.locator("#operations-health-tell_alive_livez_get")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    shown: str = block.locator(".live-responses-table .response .microlight").first.inner_text()
    return shown


if __name__ == "__main__":
    main(*sys.argv[1:4])
