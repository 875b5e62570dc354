"""What the service `setup` of compose.yaml runs: makes what is secret once, and shows the key."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "/secrets")
ENV, PASSWORD, KEY = FOLDER / "env", FOLDER / "database-password", FOLDER / "api-key"
(FOLDER / "vault").unlink(missing_ok=True)  # the profile writes it again
if not ENV.exists():
    password, key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    lines = {
        "DATABASE_URL": f"postgresql://memory:{password}@database:5432/memory",
        "API_KEY": key,
        "MEMORY_ENCRYPTION_KEY": secrets.token_hex(32),
    }
    text = "".join(f"export {name}='{value}'\n" for name, value in lines.items())
    PASSWORD.write_text(password)
    KEY.write_text(key)
    waiting = ENV.with_suffix(".new")
    waiting.write_text(text + f"if [ -f {FOLDER}/vault ]; then . {FOLDER}/vault; fi\n")
    for path in (PASSWORD, KEY, waiting):
        path.chmod(0o444)  # the services run as other users; only they have this volume
    waiting.replace(ENV)  # last: a start that was broken off begins anew
print("To use this server:")
url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
print(f"  export MEMORY_API_URL={url} MEMORY_API_KEY={KEY.read_text()}")
