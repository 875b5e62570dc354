"""Which folders are one project: real repositories, made by git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from claude_memory import project

ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_ALLOW_PROTOCOL": "file",
}


def git(folder: Path, *words: str) -> None:
    """Run git in a folder."""
    environment = {**os.environ, **ENVIRONMENT}
    command = ["git", "-c", "protocol.file.allow=always", *words]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit and no remote."""
    folder = tmp_path / "work" / "site"
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def with_remote(repository: Path, url: str, name: str = "origin") -> str:
    """Give the repository a remote and return the project it then is."""
    git(repository, "remote", "add", name, url)
    return project.identity(str(repository))


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/site",
        "https://github.com/acme/site.git",
        "https://GitHub.com/acme/site.git/",
        "https://user@github.com/acme/site.git",
        "https://user:to@k@github.com/acme/site",
        "https://github.com:443/acme/site.git",
        "http://github.com/acme/site?x=1",
        "ssh://git@github.com/acme/site.git",
        "ssh://git@github.com:22/acme/site",
        "git://github.com/acme/site.git",
        "git+ssh://git@github.com/acme/site.git",
        "git@github.com:acme/site.git",
        "git@GITHUB.com:/acme/site.git",
        "https://github.com/Acme/Site",
        "github.com:acme/site",
    ],
)
def test_every_form_of_a_remote_is_one_project(repository: Path, url: str) -> None:
    """However a repository was cloned, it is the same project."""
    assert with_remote(repository, url) == "github.com/acme/site"


def test_credentials_in_a_remote_are_left_out(repository: Path) -> None:
    """A project's name is stored and shown; a token in a URL must not be."""
    token = "ghp_" + "A1b2" * 9
    for number, url in enumerate((f"https://x:{token}@host.org/a/b", f"x:{token}@host.org:a/b")):
        name = f"r{number}"
        assert with_remote(repository, url, name) == "host.org/a/b"
        git(repository, "remote", "remove", name)


def test_clones_in_different_folders_are_one_project(repository: Path, tmp_path: Path) -> None:
    """Two clones of one remote share their project memories."""
    with_remote(repository, "https://github.com/acme/site.git")
    other = tmp_path / "elsewhere"
    other.mkdir()
    git(other, "init", "-q")

    assert with_remote(other, "git@github.com:acme/site.git") == project.identity(str(repository))


def test_worktree_is_the_project_of_its_repository(repository: Path, tmp_path: Path) -> None:
    """A worktree has a .git file and a commondir; both lead to the same repository."""
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"))

    assert project.identity(str(tmp_path / "tree")) == project.identity(str(repository))
    assert with_remote(repository, "git@host.org:a/b") == "host.org/a/b"
    assert project.identity(str(tmp_path / "tree")) == "host.org/a/b"


def test_subfolder_is_the_project_of_its_repository(repository: Path) -> None:
    """A session may start anywhere in a repository."""
    folder = repository / "src" / "deep"
    folder.mkdir(parents=True)

    assert project.identity(str(folder)) == project.identity(str(repository))


def test_repository_without_a_remote_is_known_by_its_git_folder(repository: Path) -> None:
    """Without a remote the place is all there is."""
    assert project.identity(str(repository)) == os.path.realpath(repository / ".git")


def test_clone_of_a_local_folder_is_that_folders_project(repository: Path, tmp_path: Path) -> None:
    """A clone of a clone on one machine is still the same project."""
    git(tmp_path, "clone", "-q", str(repository), "copy")
    git(tmp_path, "clone", "-q", "file://" + str(tmp_path / "copy"), "copy of copy")
    before = project.identity(str(tmp_path / "copy of copy"))

    assert before == project.identity(str(repository))
    assert with_remote(repository, "git@host.org:a/b") == "host.org/a/b"
    assert project.identity(str(tmp_path / "copy of copy")) == "host.org/a/b"


def test_bare_repository_and_its_clone_are_one_project(repository: Path, tmp_path: Path) -> None:
    """A bare repository on a disk is a remote like any other."""
    git(tmp_path, "clone", "-q", "--bare", str(repository), "site.git")
    git(tmp_path / "site.git", "remote", "remove", "origin")
    git(tmp_path, "clone", "-q", "site.git", "clone")

    assert project.identity(str(tmp_path / "clone")) == os.path.realpath(tmp_path / "site.git")
    assert project.identity(str(tmp_path / "site.git")) == os.path.realpath(tmp_path / "site.git")


def test_submodule_is_a_project_of_its_own(repository: Path, tmp_path: Path) -> None:
    """A submodule has its own remote, and so its own memories."""
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q")
    git(library, "commit", "-q", "--allow-empty", "-m", "first")
    with_remote(repository, "git@host.org:a/b")
    git(repository, "submodule", "add", "-q", str(library), "vendored")

    assert project.identity(str(repository / "vendored")) == project.identity(str(library))
    git(repository / "vendored", "remote", "set-url", "origin", "git@host.org:c/d")
    assert project.identity(str(repository / "vendored")) == "host.org/c/d"
    assert project.identity(str(repository)) == "host.org/a/b"


def test_origin_comes_before_other_remotes(repository: Path) -> None:
    """A fork's upstream does not decide; without origin the first name does."""
    assert with_remote(repository, "git@host.org:up/stream", "upstream") == "host.org/up/stream"
    assert with_remote(repository, "git@host.org:a/first", "another") == "host.org/a/first"
    assert with_remote(repository, "git@host.org:my/fork", "origin") == "host.org/my/fork"


def test_rewritten_urls_are_not_followed(repository: Path) -> None:
    """A mirror that only this machine uses does not change the project."""
    git(repository, "config", "url.https://mirror.local/.insteadOf", "https://host.org/")

    assert with_remote(repository, "https://host.org/a/b") == "host.org/a/b"


def test_config_is_read_as_git_writes_and_people_edit_it(repository: Path) -> None:
    """Quotes, comments, spaces, a setting on the heading's line and push URLs are understood."""
    config = repository / ".git" / "config"
    config.write_text(
        '[core]\n\turl = https://wrong.org/a/b\n[remote "pages"]\n\turl=https://wrong.org/c/d\n'
        '[ Remote   "origin" ] pushurl = https://wrong.org/e/f\n'
        '\tURL = "https://right.org/a/b" ; a comment\n\turl = https://second.org/a/b\n'
    )

    assert project.identity(str(repository)) == "right.org/a/b"


def test_folder_outside_git_is_a_project_by_its_path(tmp_path: Path) -> None:
    """Notes in a plain folder have a place too, and another folder is another project."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "notes")

    assert project.identity(str(tmp_path / "notes")) == os.path.realpath(tmp_path / "notes")
    assert project.identity(str(tmp_path / "link")) == os.path.realpath(tmp_path / "notes")


def test_folder_whose_name_is_no_text_is_a_project_of_its_own() -> None:
    """What names it can be stored and shown."""
    latin, other = (os.fsdecode(b"/srv/caf" + byte) for byte in (b"\xe9", b"\xe8"))
    assert project.identity(latin) == "/srv/caf\\xe9"
    assert project.identity(latin) != project.identity(other)
    assert project.identity("/srv/café") == "/srv/café"


def test_home_and_root_are_no_project(tmp_path: Path) -> None:
    """What is said there concerns no project."""
    assert project.identity(str(Path.home())) == ""
    assert project.identity(os.sep) == ""
    assert project.identity("") == ""


@pytest.mark.parametrize("text", ["", "gitdir: ", "gitdir: /nowhere", "\x00", "gitdir: \x00x"])
def test_broken_git_file_is_passed_over(tmp_path: Path, text: str) -> None:
    """A folder whose .git leads nowhere is a folder outside git."""
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / ".git").write_text(text)

    assert project.identity(str(tmp_path / "odd")) in ("", os.path.realpath(tmp_path / "odd"))


def test_unusable_folder_never_raises() -> None:
    """Whatever the client names as folder, a hook goes on."""
    for folder in ("/nowhere/at/all", "a\x00b", "\ud800", "x" * 5000):
        assert isinstance(project.identity(folder), str)
